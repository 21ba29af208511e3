// Reading and writing on one GPU: stock llama.cpp and layer-group reading with retention, over the same library and the
// same random tokens. One line of JSON per measurement. See bench.sh for how it is called.
//
// usage: gpu-bench make  SHAPE MODEL            writes a model with random q4_0 weights of a real model's shape
//        gpu-bench check MODEL TOKENS           everything retained, against stock; retention, against the CPU
//        gpu-bench run   MODEL RUN...           RUN is side:tokens:kv[:kept[:group[:hidden]]]
//          side    stock | precis | uneven (budgets that differ from layer to layer, as a policy's may)
//                  | heads (budgets that differ from KV head to KV head in each layer)
//                  | default (all that the default policy asks for is observed: squares, queries, lengths of values, expected attention)
//                  | fast (from about a quarter of the layers on, 4,096 positions go on: core/compression/propagation.ts)
//          kv      f16 | q8_0 | q4_0, what is kept      kept    share of the tokens, e.g. 0.069
//          group   layers read together; 0: as many as hold 512 MiB of f16 keys and values
//          hidden  f32 | f16, what waits between groups
// Environment: BATCH (512), DECODE (256 tokens), THREADS (all cores), WATCH (2 ms between two looks at the memory),
// LAYERS (on the GPU, the output counted as one as llama.cpp does; all).
#include "llama-context.h"
#include "llama-model.h"
#include "llama-retain.h"

#include "ggml-backend.h"
#include "gguf.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using Clock  = std::chrono::steady_clock;
using Plan   = std::vector<std::vector<uint32_t>>; // by KV head, ascending
using Logits = std::vector<float>;

static double ms_since(Clock::time_point from) {
    return std::chrono::duration<double, std::milli>(Clock::now() - from).count();
}

static int setting(const char * name, int otherwise) {
    const char * value = getenv(name);
    return value ? atoi(value) : otherwise;
}

static void must(bool fine, const std::string & what) {
    if (!fine) {
        throw std::runtime_error(what);
    }
}

//
// models
//

struct Shape {
    const char * name;
    const char * architecture;
    uint32_t layers, embedding, feed_forward, query_heads, kv_heads, head_size, vocabulary;
    bool     tied; // the output matrix is the token embeddings
};

static const Shape shapes[] = {
    { "tiny",         "llama",  4,  256,   512,  8, 2,  64,   4096, false },
    { "llama-3.2-1b", "llama", 16, 2048,  8192, 32, 8,  64, 128256, true  },
    { "qwen3-4b",     "qwen3", 36, 2560,  9728, 32, 8, 128, 151936, true  },
    { "llama-3.1-8b", "llama", 32, 4096, 14336, 32, 8, 128, 128256, false },
};

static void make(const std::string & name, const char * path) {
    const auto * shape = std::find_if(std::begin(shapes), std::end(shapes), [&](const Shape & s) { return name == s.name; });
    must(shape != std::end(shapes), "no such shape");
    const std::string arch = shape->architecture;

    std::unique_ptr<gguf_context, decltype(&gguf_free)> file(gguf_init_empty(), gguf_free);
    auto * g = file.get();
    gguf_set_val_str(g, "general.architecture", arch.c_str());
    gguf_set_val_str(g, "general.name", (std::string("random ") + shape->name).c_str());
    const auto number = [&](const char * key, uint32_t value) { gguf_set_val_u32(g, (arch + "." + key).c_str(), value); };
    number("block_count", shape->layers);
    number("context_length", 131072 + 4096);
    number("embedding_length", shape->embedding);
    number("feed_forward_length", shape->feed_forward);
    number("attention.head_count", shape->query_heads);
    number("attention.head_count_kv", shape->kv_heads);
    number("attention.key_length", shape->head_size);
    number("attention.value_length", shape->head_size);
    number("rope.dimension_count", shape->head_size);
    number("vocab_size", shape->vocabulary);
    gguf_set_val_f32(g, (arch + ".attention.layer_norm_rms_epsilon").c_str(), 1e-5f);
    gguf_set_val_f32(g, (arch + ".rope.freq_base").c_str(), 500000.0f);

    // a vocabulary of bytes and made-up words
    std::vector<std::string> words = { "<unk>", "<s>", "</s>" };
    char word[16];
    for (int byte = 0; byte < 256; ++byte) {
        snprintf(word, sizeof(word), "<0x%02X>", byte);
        words.push_back(word);
    }
    while (words.size() < shape->vocabulary) {
        words.push_back("\xE2\x96\x81x" + std::to_string(words.size()));
    }
    std::vector<const char *> tokens;
    std::vector<float>        scores;
    std::vector<int32_t>      types;
    for (size_t i = 0; i < words.size(); ++i) {
        tokens.push_back(words[i].c_str());
        scores.push_back(-float(i));
        types.push_back(i == 0 ? 2 : i < 3 ? 3 : i < 259 ? 6 : 1);
    }
    gguf_set_val_str (g, "tokenizer.ggml.model", "llama");
    gguf_set_arr_str (g, "tokenizer.ggml.tokens", tokens.data(), tokens.size());
    gguf_set_arr_data(g, "tokenizer.ggml.scores", GGUF_TYPE_FLOAT32, scores.data(), scores.size());
    gguf_set_arr_data(g, "tokenizer.ggml.token_type", GGUF_TYPE_INT32, types.data(), types.size());
    gguf_set_val_u32 (g, "tokenizer.ggml.bos_token_id", 1);
    gguf_set_val_u32 (g, "tokenizer.ggml.eos_token_id", 2);

    ggml_init_params params = { (size_t(shape->layers)*16 + 8)*ggml_tensor_overhead(), nullptr, true };
    std::unique_ptr<ggml_context, decltype(&ggml_free)> ctx(ggml_init(params), ggml_free);
    std::vector<ggml_tensor *> tensors;
    const auto add = [&](ggml_tensor * t, const std::string & tensor) {
        ggml_set_name(t, (tensor + ".weight").c_str());
        gguf_add_tensor(g, t);
        tensors.push_back(t);
    };
    const auto matrix = [&](const std::string & tensor, int64_t in, int64_t out) { add(ggml_new_tensor_2d(ctx.get(), GGML_TYPE_Q4_0, in, out), tensor); };
    const auto norm   = [&](const std::string & tensor, int64_t n) { add(ggml_new_tensor_1d(ctx.get(), GGML_TYPE_F32, n), tensor); };
    const int64_t n = shape->embedding, q = shape->query_heads*shape->head_size, kv = shape->kv_heads*shape->head_size;
    matrix("token_embd", n, shape->vocabulary);
    norm("output_norm", n);
    if (!shape->tied) {
        matrix("output", n, shape->vocabulary);
    }
    for (uint32_t il = 0; il < shape->layers; ++il) {
        const std::string at = "blk." + std::to_string(il) + ".";
        norm(at + "attn_norm", n);
        norm(at + "ffn_norm", n);
        matrix(at + "attn_q", n, q);
        matrix(at + "attn_k", n, kv);
        matrix(at + "attn_v", n, kv);
        matrix(at + "attn_output", q, n);
        matrix(at + "ffn_gate", n, shape->feed_forward);
        matrix(at + "ffn_up", n, shape->feed_forward);
        matrix(at + "ffn_down", shape->feed_forward, n);
        if (arch == "qwen3") {
            norm(at + "attn_q_norm", shape->head_size);
            norm(at + "attn_k_norm", shape->head_size);
        }
    }
    must(gguf_write_to_file(g, path, true), "the header could not be written");

    // 64 MiB of random nibbles, read from another place for each tensor; its length shares no factor with a row's
    std::mt19937_64 random(1);
    std::vector<uint64_t> noise((64 << 20)/8 + 13);
    for (auto & value : noise) {
        value = random();
    }
    FILE * out = fopen(path, "ab");
    must(out, "the model could not be opened");
    const auto * bytes = (const uint8_t *) noise.data();
    const size_t n_bytes = noise.size()*8;
    std::vector<uint8_t> data;
    for (const auto * t : tensors) {
        const size_t size = ggml_nbytes(t);
        data.assign(GGML_PAD(size, gguf_get_alignment(g)), 0);
        if (t->type == GGML_TYPE_F32) {
            std::fill_n((float *) data.data(), ggml_nelements(t), 1.0f);
        } else {
            // blocks of a f16 scale and 16 bytes; nibbles from -8 to 7 have a spread of 4.6
            const ggml_fp16_t scale = ggml_fp32_to_fp16(1.0f/(4.6f*std::sqrt(float(t->ne[0]))));
            size_t at = random()%n_bytes;
            for (size_t block = 0; block < size; block += 18) {
                if (at + 16 > n_bytes) {
                    at = random()%64;
                }
                memcpy(data.data() + block, &scale, 2);
                memcpy(data.data() + block + 2, bytes + at, 16);
                at += 16;
            }
        }
        must(fwrite(data.data(), 1, data.size(), out) == data.size(), "the model could not be written");
    }
    must(fclose(out) == 0, "the model could not be written");
}

//
// measuring
//

// the device memory in use, by whoever, and its highest value while this lives
class Watch {
  public:
    explicit Watch(ggml_backend_dev_t device) : device(device) {
        thread = std::thread([this] {
            while (!done) {
                sample();
                std::this_thread::sleep_for(std::chrono::milliseconds(setting("WATCH", 2)));
            }
        });
    }
    ~Watch() {
        done = true;
        thread.join();
    }
    size_t sample() {
        const size_t used = in_use(device);
        size_t seen = peak;
        while (seen < used && !peak.compare_exchange_weak(seen, used)) {}
        return used;
    }
    static size_t in_use(ggml_backend_dev_t device) {
        size_t free = 0, total = 0;
        ggml_backend_dev_memory(device, &free, &total);
        return total - free;
    }
    std::atomic<size_t> peak{0};

  private:
    ggml_backend_dev_t device;
    std::atomic<bool>  done{false};
    std::thread        thread;
};

struct Run {
    std::string side, kv = "f16";
    uint32_t tokens = 0, group = 0;
    double   kept = 1;
    std::string hidden = "f16";

    explicit Run(const std::string & text) {
        std::vector<std::string> parts;
        size_t from = 0;
        for (size_t at; (at = text.find(':', from)) != std::string::npos; from = at + 1) {
            parts.push_back(text.substr(from, at - from));
        }
        parts.push_back(text.substr(from));
        must(parts.size() >= 3, "a run is side:tokens:kv[:kept[:group[:hidden]]]");
        side   = parts[0];
        tokens = std::stoul(parts[1]);
        kv     = parts[2];
        if (parts.size() > 3) kept   = std::stod(parts[3]);
        if (parts.size() > 4) group  = std::stoul(parts[4]);
        if (parts.size() > 5) hidden = parts[5];
    }
};

struct Result {
    double first_ms = 0, begin_ms = 0, score_ms = 0, read_back_ms = 0, norms_ms = 0, expected_ms = 0, select_ms = 0, keep_ms = 0, reserve_ms = 0;
    double decode_ms = 0, launch_ms = 0, choose_ms = 0; // the host's part of the tokens: until all is under way, choosing
    double token_ms = 0; // of the tokens the median: the first ones are slower, until CUDA has a graph to replay
    size_t after_bytes = 0, kv_bytes = 0, kv_peak = 0, compute_bytes = 0;
    int    splits_read = 0, splits_decode = 0;
    uint32_t group = 0;
    std::vector<Plan>   plans;  // per layer
    std::vector<Logits> logits; // after the prompt, and after each token that was given
    std::vector<float>  norms, expected; // of all layers, where tokens were given and all that the default policy asks for was observed
};

static const uint32_t window = 32;

static ggml_type type_of(const std::string & name) {
    return name == "q8_0" ? GGML_TYPE_Q8_0 : name == "q4_0" ? GGML_TYPE_Q4_0 : name == "f32" ? GGML_TYPE_F32 : GGML_TYPE_F16;
}

// of one layer's keys and values of a token, f16
static size_t row_bytes(const llama_model * model) {
    return 2*sizeof(ggml_fp16_t)*llama_model_n_head_kv(model)*model->hparams.n_embd_head_k();
}

static std::vector<llama_token> random_tokens(const llama_model * model, uint32_t n) {
    std::mt19937 random(7);
    const uint32_t n_vocab = llama_vocab_n_tokens(llama_model_get_vocab(model));
    std::vector<llama_token> tokens(n);
    for (auto & token : tokens) {
        token = 259 + random()%(n_vocab - 259);
    }
    return tokens;
}

// the n_keep[h] best of each KV head: scores of its queries, the best of a group, averaged over 15 neighbours; a thread a head
static Plan best(const std::vector<float> & scores, uint32_t n_head, uint32_t n_before, const std::vector<uint32_t> & n_keep) {
    const uint32_t n_kv_head = n_keep.size();
    const uint32_t n_group   = n_head/n_kv_head;
    Plan plan(n_kv_head);
    const auto of_head = [&](uint32_t h) {
        std::vector<float> most(n_before), pooled(n_before);
        std::copy_n(scores.data() + size_t(h)*n_group*n_before, n_before, most.data());
        for (uint32_t g = 1; g < n_group; ++g) {
            const float * other = scores.data() + (size_t(h)*n_group + g)*n_before;
            for (uint32_t i = 0; i < n_before; ++i) {
                most[i] = std::max(most[i], other[i]);
            }
        }
        double sum = 0;
        for (uint32_t i = 0; i < std::min(7u, n_before); ++i) {
            sum += most[i];
        }
        for (uint32_t i = 0; i < n_before; ++i) {
            if (i + 7 < n_before) sum += most[i + 7];
            if (i >= 8)           sum -= most[i - 8];
            pooled[i] = sum/(std::min(i + 7, n_before - 1) - (i >= 7 ? i - 7 : 0) + 1);
        }
        most = pooled;
        std::nth_element(most.begin(), most.begin() + n_keep[h] - 1, most.end(), std::greater<float>());
        const float cut = most[n_keep[h] - 1];
        size_t ties = n_keep[h] - std::count_if(pooled.begin(), pooled.end(), [&](float score) { return score > cut; });
        for (uint32_t i = 0; i < n_before; ++i) {
            if (pooled[i] > cut || (pooled[i] == cut && ties > 0 && ties--)) {
                plan[h].push_back(i);
            }
        }
    };
    std::vector<std::thread> threads;
    for (uint32_t h = 0; h < n_kv_head; ++h) {
        threads.emplace_back(of_head, h);
    }
    for (auto & thread : threads) {
        thread.join();
    }
    return plan;
}

class Measurement {
  public:
    Measurement(llama_model * model, const Run & run, bool offload = true) : model(model), run(run) {
        llama_context_params params = llama_context_default_params();
        n_decode = setting("DECODE", 256);
        batch    = setting("BATCH", 512);
        params.n_ctx           = run.tokens + n_decode;
        params.n_batch         = batch;
        params.n_ubatch        = batch;
        params.n_threads       = params.n_threads_batch = setting("THREADS", std::thread::hardware_concurrency());
        params.type_k          = params.type_v = type_of(run.kv);
        params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_ENABLED;
        params.no_perf         = true;
        params.op_offload      = offload;
        params.n_outputs_max   = 1;
        tokens = random_tokens(model, run.tokens);
        n_group = run.group;
        if (n_group == 0) {
            n_group = std::max<size_t>(1, (size_t(512) << 20)/(row_bytes(model)*run.tokens));
        }
        result.group = n_group;

        start = Clock::now();
        ctx.reset(run.side == "stock" ? llama_init_from_model(model, params) : llama_retain_init(model, params, n_group, window));
        must(ctx != nullptr, "no context");
    }

    // reads, then writes greedily, or goes on along `given`
    Result measure(ggml_backend_dev_t device, const std::vector<llama_token> & given = {}) {
        run.side == "stock" ? read_plainly() : read_in_groups(given.empty() ? n_decode : given.size(), !given.empty());
        llama_token token = choose();
        result.first_ms   = ms_since(start);
        result.splits_read = splits();
        result.after_bytes = Watch::in_use(device);
        keep_logits(given);

        const auto from = Clock::now();
        std::vector<double> each;
        const uint32_t n = given.empty() ? n_decode : given.size();
        for (uint32_t i = 0; i < n; ++i) {
            if (!given.empty()) {
                token = given[i];
            }
            const auto from_token = Clock::now();
            must(llama_decode(ctx.get(), llama_batch_get_one(&token, 1)) == 0, "writing failed");
            result.launch_ms += ms_since(from_token);
            llama_synchronize(ctx.get());
            const auto from_choice = Clock::now();
            token = choose();
            result.choose_ms += ms_since(from_choice);
            each.push_back(ms_since(from_token));
            keep_logits(given);
        }
        result.decode_ms = ms_since(from);
        std::nth_element(each.begin(), each.begin() + each.size()/2, each.end());
        result.token_ms = each[each.size()/2];
        result.splits_decode = splits();
        result.compute_bytes = llama_retain_compute_bytes(ctx.get());
        for (int32_t il = 0; il < llama_model_n_layer(model); ++il) {
            result.kv_bytes += run.side == "stock" ? 0 : llama_retain_layer_bytes(ctx.get(), il);
        }
        return result;
    }

  private:
    int splits() const {
        return ggml_backend_sched_get_n_splits(ctx->get_sched());
    }

    llama_token choose() {
        const float * row = llama_get_logits_ith(ctx.get(), -1);
        must(row, "no logits");
        // a stretch at a time, sixteen tokens at once: one by one, as std::max_element does, a whole vocabulary takes as long
        // as a layer
        const int n = llama_vocab_n_tokens(llama_model_get_vocab(model));
        int best = 0;
        for (int from = 0; from < n; from += 1024) {
            const int to = std::min(from + 1024, n);
            float most[16];
            std::fill_n(most, 16, row[best]);
            int i = from;
            for (; i + 16 <= to; i += 16) {
                for (int j = 0; j < 16; ++j) {
                    most[j] = row[i + j] > most[j] ? row[i + j] : most[j];
                }
            }
            const float here = std::max(*std::max_element(most, most + 16), *std::max_element(row + std::min(i, to - 1), row + to));
            if (here > row[best]) {
                best = std::find(row + from, row + to, here) - row;
            }
        }
        return best;
    }

    void keep_logits(const std::vector<llama_token> & given) {
        if (!given.empty()) {
            const float * row = llama_get_logits_ith(ctx.get(), -1);
            result.logits.emplace_back(row, row + llama_vocab_n_tokens(llama_model_get_vocab(model)));
        }
    }

    void read_plainly() {
        for (uint32_t at = 0; at < run.tokens; at += batch) {
            must(llama_decode(ctx.get(), llama_batch_get_one(tokens.data() + at, std::min(batch, run.tokens - at))) == 0, "reading failed");
        }
    }

    void read_in_groups(uint32_t n_answer, bool compared) {
        const uint32_t n_layer = llama_model_n_layer(model);
        const uint32_t n_head  = llama_model_n_head(model);

        // what goes through the next layers: all tokens, or from the cut on those at these positions
        std::vector<uint32_t> passed;
        uint32_t n_rows   = run.tokens;
        uint32_t n_before = n_rows - window;
        const uint32_t cut = run.side == "fast" ? std::ceil(n_layer*(1/5.0 + 1/3.0)/2) : n_layer;

        std::vector<llama_pos>      pos(batch);
        std::vector<int32_t>        n_seq(batch, 1);
        llama_seq_id                seq = 0;
        std::vector<llama_seq_id *> seqs(batch, &seq);
        std::vector<int8_t>         output(batch);

        // as core/native/addon/context.cpp does: queries of four batches from all over the document
        const bool     all_observed = run.side == "default";
        const uint32_t what         = LLAMA_RETAIN_SUMS | (all_observed ? LLAMA_RETAIN_SQUARES : 0);
        const uint32_t n_batches    = (run.tokens + batch - 1)/batch;
        const uint32_t n_stride     = (n_batches + 3)/4;
        std::vector<float> norms, expected;

        const bool one_group = n_group >= n_layer && cut == n_layer;
        std::vector<std::vector<float>> scores(n_group, std::vector<float>(size_t(n_head)*n_before));
        must(one_group || llama_retain_hold(ctx.get(), type_of(run.hidden), run.tokens), "no room for hidden states");
        for (uint32_t begin = 0, end = 0; begin < n_layer; begin = end) {
            end = std::min(begin + n_group, begin < cut ? cut : n_layer);
            const auto from_begin = Clock::now();
            must(llama_retain_begin(ctx.get(), begin, end, n_rows, false), "no room for a group of layers");
            result.begin_ms += ms_since(from_begin);
            double usual_ms = 0;
            for (uint32_t at = 0; at < n_rows; at += batch) {
                const uint32_t n    = std::min(batch, n_rows - at);
                const uint32_t stop = at + n;
                const uint32_t rows = stop <= n_before ? 0 : stop - std::max(at, n_before);
                for (uint32_t i = 0; i < n; ++i) {
                    pos[i] = at + i;
                }
                output.assign(batch, 0);
                output[n - 1] = end == n_layer && stop == n_rows;

                llama_batch part = {};
                part.n_tokens = n;
                part.token    = tokens.data() + at;
                part.pos      = pos.data();
                part.n_seq_id = n_seq.data();
                part.seq_id   = seqs.data();
                part.logits   = output.data();

                // what scoring costs on the device: the batches that are scored against the last that is not
                const bool timed = at + 2*batch >= n_before;
                if (timed) {
                    llama_synchronize(ctx.get());
                }
                const auto from = Clock::now();
                must(llama_retain_observe(ctx.get(), what | (all_observed && at/batch%n_stride == 0 ? LLAMA_RETAIN_QUERIES : 0), rows), "no room for queries");
                must(llama_decode(ctx.get(), part) == 0, "reading failed");
                if (timed) {
                    llama_synchronize(ctx.get());
                    if (rows == 0) {
                        usual_ms = ms_since(from);
                    } else {
                        result.score_ms += usual_ms == 0 ? 0 : std::max(0.0, ms_since(from) - usual_ms*n/batch);
                    }
                }
            }
            const auto from_read_back = Clock::now();
            for (uint32_t il = begin; il < end; ++il) {
                uint32_t n_cells = 0;
                const float * row = llama_retain_observed(ctx.get(), il, LLAMA_RETAIN_SUMS, &n_cells);
                must(row, "no scores");
                for (uint32_t h = 0; h < n_head; ++h) {
                    std::copy_n(row + size_t(h)*n_cells, n_before, scores[il - begin].data() + size_t(h)*n_before);
                }
                must(!all_observed || llama_retain_observed(ctx.get(), il, LLAMA_RETAIN_SQUARES, &n_cells), "no squares");
            }
            result.read_back_ms += ms_since(from_read_back);
            if (end == n_layer) {
                llama_retain_hold(ctx.get(), GGML_TYPE_F16, 0);
            }
            for (uint32_t il = begin; all_observed && il < end; ++il) {
                auto from = Clock::now();
                norms.resize(size_t(llama_model_n_head_kv(model))*n_before);
                must(llama_retain_value_norms(ctx.get(), il, n_before, norms.data()), "no lengths of values");
                result.norms_ms += ms_since(from);
                from = Clock::now();
                expected.resize(size_t(n_head)*n_before);
                must(llama_retain_expected(ctx.get(), il, n_before, run.tokens, 512, expected.data()), "no expected attention");
                result.expected_ms += ms_since(from);
                if (compared) {
                    result.norms.insert(result.norms.end(), norms.begin(), norms.end());
                    result.expected.insert(result.expected.end(), expected.begin(), expected.end());
                }
            }
            const auto position = [&](uint32_t row) { return passed.empty() ? row : passed[row]; };
            for (uint32_t il = begin; il < end; ++il) {
                auto from = Clock::now();
                const double   share  = run.side == "uneven" && n_layer > 1 ? run.kept*(0.5 + double(il)/(n_layer - 1)) : run.kept;
                std::vector<uint32_t> n_keep(llama_model_n_head_kv(model));
                for (size_t h = 0; h < n_keep.size(); ++h) {
                    const double of = run.side == "heads" && n_keep.size() > 1 ? share*(0.5 + double(h)/(n_keep.size() - 1)) : share;
                    n_keep[h] = std::min<uint32_t>(n_before, std::max(1.0, of*run.tokens - (run.kept < 1 ? window : 0)));
                }
                result.plans.push_back(best(scores[il - begin], n_head, n_before, n_keep));
                for (auto & head : result.plans.back()) {
                    std::transform(head.begin(), head.end(), head.begin(), position);
                }
                result.select_ms += ms_since(from);
                from = Clock::now();
                std::vector<uint32_t> positions;
                for (const auto & head : result.plans.back()) {
                    positions.insert(positions.end(), head.begin(), head.end());
                }
                must(llama_retain_keep(ctx.get(), il, positions.data(), n_keep.data(), run.tokens, window) == LLAMA_RETAIN_KEPT, "nothing was kept");
                result.keep_ms += ms_since(from);
            }
            if (end == cut && end < n_layer) {
                const auto from = Clock::now();
                const uint32_t n_most = std::min<uint32_t>(4096, 0.325*n_before);
                // of all heads the best: as if they were the queries of one
                passed = best(scores[end - 1 - begin], n_head, n_before, { n_most })[0];
                for (uint32_t i = n_before; i < run.tokens; ++i) {
                    passed.push_back(i);
                }
                must(llama_retain_pass(ctx.get(), passed.data(), passed.size()), "nothing was passed on");
                n_rows   = passed.size();
                n_before = n_rows - window;
                result.select_ms += ms_since(from);
            }
        }
        const size_t hidden_bytes = one_group ? 0 : ggml_row_size(type_of(run.hidden), llama_model_n_embd(model))*run.tokens;
        result.kv_peak = llama_retain_peak_bytes(ctx.get()) + hidden_bytes;
        must(llama_retain_finish(ctx.get(), run.tokens, window), "reading was not finished");
        const auto from = Clock::now();
        must(llama_retain_reserve(ctx.get(), window + n_answer), "no room for the answer");
        result.reserve_ms = ms_since(from);
    }

    struct Free { void operator()(llama_context * ctx) const { llama_free(ctx); } };
    std::unique_ptr<llama_context, Free> ctx;
    llama_model * model;
    const Run     run;
    uint32_t      batch, n_decode, n_group;
    std::vector<llama_token> tokens;
    Clock::time_point start;
    Result result;
};

struct FreeModel { void operator()(llama_model * model) const { llama_model_free(model); } };
using Model = std::unique_ptr<llama_model, FreeModel>;

static Model load(const char * path, ggml_backend_dev_t device, int n_layers = setting("LAYERS", 999)) {
    llama_model_params params = llama_model_default_params();
    ggml_backend_dev_t devices[] = { device, nullptr };
    const bool on_cpu = !device || ggml_backend_dev_type(device) == GGML_BACKEND_DEVICE_TYPE_CPU;
    if (on_cpu) {
        devices[0] = nullptr;
    }
    params.devices      = devices;
    params.n_gpu_layers = on_cpu ? 0 : n_layers;
    Model model(llama_model_load_from_file(path, params));
    must(model != nullptr, "the model could not be loaded");
    return model;
}

static void measure(const char * path, ggml_backend_dev_t device, int n_runs, char ** runs) {
    const size_t before = Watch::in_use(device);
    const auto   from   = Clock::now();
    const auto   model  = load(path, device);
    printf("{\"model\":\"%s\",\"device\":\"%s\",\"batch\":%d,\"weights\":%zu,\"before\":%zu,\"layers\":%d,\"loadMs\":%.0f}\n", path,
            ggml_backend_dev_description(device), setting("BATCH", 512), Watch::in_use(device) - before, before, setting("LAYERS", 999), ms_since(from));
    fflush(stdout);
    for (int i = 0; i < n_runs; ++i) {
        const Run run(runs[i]);
        Watch watch(device);
        Result r;
        try {
            r = Measurement(model.get(), run).measure(device);
        } catch (const std::exception & error) {
            printf("{\"run\":\"%s\",\"error\":\"%s\"}\n", runs[i], error.what());
            fflush(stdout);
            continue;
        }
        printf("{\"run\":\"%s\",\"side\":\"%s\",\"tokens\":%u,\"kv\":\"%s\",\"kept\":%g,\"group\":%u,\"hidden\":\"%s\",\"firstMs\":%.1f,\"beginMs\":%.1f,"
               "\"scoreMs\":%.1f,\"readBackMs\":%.1f,\"normsMs\":%.1f,\"expectedMs\":%.1f,\"selectMs\":%.1f,\"keepMs\":%.1f,\"reserveMs\":%.1f,\"decodePerSecond\":%.2f,\"tokenMs\":%.3f,\"launchMs\":%.3f,\"chooseMs\":%.3f,\"peak\":%zu,\"after\":%zu,\"kvBytes\":%zu,"
               "\"kvPeak\":%zu,\"kvFull\":%zu,\"computeBytes\":%zu,"
               "\"splitsRead\":%d,\"splitsDecode\":%d}\n",
               runs[i], run.side.c_str(), run.tokens, run.kv.c_str(), run.kept, r.group, run.hidden.c_str(), r.first_ms, r.begin_ms, r.score_ms,
               r.read_back_ms, r.norms_ms, r.expected_ms, r.select_ms, r.keep_ms, r.reserve_ms, setting("DECODE", 256)*1000/r.decode_ms, r.token_ms, r.launch_ms/setting("DECODE", 256),
               r.choose_ms/setting("DECODE", 256), watch.peak.load(), r.after_bytes, r.kv_bytes,
               r.kv_peak, row_bytes(model.get())*llama_model_n_layer(model.get())*run.tokens, r.compute_bytes, r.splits_read, r.splits_decode);
        fflush(stdout);
    }
}

// how far one list of values is from another, or several are from several
struct Difference {
    double largest = 0, norm = 0, squares = 0;

    void add(const std::vector<float> & a, const std::vector<float> & b) {
        must(a.size() == b.size(), "nothing to compare");
        for (size_t i = 0; i < a.size(); ++i) {
            const double d = double(a[i]) - b[i];
            largest  = std::max(largest, std::isfinite(d) ? std::abs(d) : INFINITY);
            squares += d*d;
            norm    += double(a[i])*a[i];
        }
    }
    double relative() const {
        return std::sqrt(squares/norm);
    }
};

static void compare(const char * what, const Result & a, const Result & b) {
    must(!a.logits.empty() && a.logits.size() == b.logits.size(), "nothing to compare");
    double after_prompt = 0;
    Difference logits, norms, expected;
    for (size_t i = 0; i < a.logits.size(); ++i) {
        logits.add(a.logits[i], b.logits[i]);
        after_prompt = i == 0 ? logits.largest : after_prompt;
    }
    norms.add(a.norms, b.norms);
    expected.add(a.expected, b.expected);
    size_t shared = 0, total = 0;
    for (size_t il = 0; il < a.plans.size() && il < b.plans.size(); ++il) {
        for (size_t h = 0; h < a.plans[il].size(); ++h) {
            const auto & head = b.plans[il][h];
            for (const uint32_t position : a.plans[il][h]) {
                shared += std::binary_search(head.begin(), head.end(), position);
            }
            total += a.plans[il][h].size();
        }
    }
    printf("{\"check\":\"%s\",\"afterPrompt\":%g,\"largestDifference\":%g,\"relative\":%g", what, after_prompt, logits.largest, logits.relative());
    if (total > 0) {
        printf(",\"samePositions\":%.4f", double(shared)/total);
    }
    if (!a.expected.empty()) {
        printf(",\"lengthsOfValues\":%g,\"expectedAttention\":%g", norms.relative(), expected.relative());
    }
    printf(",\"splitsRead\":%d,\"splitsDecode\":%d}\n", b.splits_read, b.splits_decode);
    fflush(stdout);
}

// Does compression work unchanged on this backend?
static void check(const char * path, ggml_backend_dev_t device, const std::string & n) {
    const auto model = load(path, device);
    const auto given = random_tokens(model.get(), 8);
    const auto on_device = [&](const std::string & run) { return Measurement(model.get(), Run(run)).measure(device, given); };

    for (const std::string kv : { "f16", "q8_0", "q4_0" }) {
        const auto stock = on_device("stock:" + n + ":" + kv);
        compare(("stock " + kv + " against stock f16").c_str(), on_device("stock:" + n + ":f16"), stock);
        for (const char * how : { "1:f32", "2:f32", "1:f16" }) {
            compare(("everything kept as " + kv + ", layers and hidden states " + how + ", against stock " + kv).c_str(),
                    stock, on_device("precis:" + n + ":" + kv + ":1:" + how));
        }
    }
    // Some layers there, the others on the CPU: groups lie on one side, or on both. Each layer is computed where it lies:
    // otherwise the device lends a hand with large batches, and which small operations go with it depends on the graph
    for (const int n_layers : { 2, 3 }) {
        const auto shared = load(path, device, n_layers);
        const auto on_both = [&](const std::string & run) { return Measurement(shared.get(), Run(run), false).measure(device, given); };
        const auto stock = on_both("stock:" + n + ":f16");
        for (const char * how : { "1:f32", "2:f32", "3:f32", "4:f32", "1:f16" }) {
            compare((std::to_string(n_layers - 1) + " of 4 layers on the GPU, everything kept as f16, layers and hidden states " + how + ", against stock").c_str(),
                    stock, on_both("precis:" + n + ":f16:1:" + how));
        }
    }
    const auto on_cpu = load(path, nullptr);
    for (const std::string & run : { "stock:" + n + ":f16", "precis:" + n + ":f16:0.25:1:f32", "precis:" + n + ":q8_0:0.25:1:f32", "uneven:" + n + ":f16:0.25:1:f32", "heads:" + n + ":f16:0.25:1:f32", "heads:" + n + ":q8_0:0.25:1:f32", "fast:" + n + ":f16:0.25:1:f32",
            "default:" + n + ":f16:0.25:1:f32", "default:" + n + ":q8_0:0.25:1:f32" }) {
        compare((run + " against the CPU").c_str(), Measurement(on_cpu.get(), Run(run)).measure(device, given), on_device(run));
    }
}

int main(int argc, char ** argv) {
    try {
        const std::string task = argc > 2 ? argv[1] : "";
        llama_log_set([](ggml_log_level level, const char * text, void *) {
            if (level == GGML_LOG_LEVEL_ERROR) fputs(text, stderr);
        }, nullptr);
        if (task == "make" && argc == 4) {
            make(argv[2], argv[3]);
            return 0;
        }
        ggml_backend_load_all();
        // without a GPU the same runs on the CPU: memory is then the machine's
        auto * device = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_GPU);
        if (!device) {
            device = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
        }
        if (task == "check" && argc == 4) {
            check(argv[2], device, argv[3]);
            return 0;
        }
        if (task == "run" && argc > 3) {
            measure(argv[2], device, argc - 3, argv + 3);
            return 0;
        }
        fputs("usage: gpu-bench make SHAPE MODEL | check MODEL TOKENS | run MODEL RUN...\n", stderr);
        return 2;
    } catch (const std::exception & error) {
        fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
