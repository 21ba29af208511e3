// A document read and an answer written: by stock llama.cpp, or group of layers by group of layers
#include "gpu-bench.h"
#include "timing.h"

#include "llama-context.h"
#include "llama-model.h"
#include "llama-retain.h"

#include <algorithm>
#include <cmath>
#include <random>

static const uint32_t window = 32;

static ggml_type type_of(const std::string & name) {
    return name == "q8_0" ? GGML_TYPE_Q8_0 : name == "q4_0" ? GGML_TYPE_Q4_0 : name == "f32" ? GGML_TYPE_F32 : GGML_TYPE_F16;
}

std::vector<llama_token> random_tokens(const llama_model * model, uint32_t n) {
    std::mt19937 random(7);
    const uint32_t n_vocab = llama_vocab_n_tokens(llama_model_get_vocab(model));
    std::vector<llama_token> tokens(n);
    for (auto & token : tokens) {
        token = 259 + random()%(n_vocab - 259);
    }
    return tokens;
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
        result.open_ms = ms_since(start);
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
        std::vector<std::vector<float>> scores(n_group);
        must(one_group || llama_retain_hold(ctx.get(), type_of(run.hidden), run.tokens), "no room for hidden states");
        for (uint32_t begin = 0, end = 0; begin < n_layer; begin = end) {
            end = std::min(begin + n_group, begin < cut ? cut : n_layer);
            const auto from_begin = Clock::now();
            must(llama_retain_begin(ctx.get(), begin, end, n_rows, false), "no room for a group of layers");
            result.begin_ms += ms_since(from_begin);
            const auto from_read = Clock::now();
            // what scoring costs on the device: the batches that are scored against the last that is not
            struct Timed { uint32_t n, n_scored; };
            std::vector<Timed> timed;
            Marks marks(ggml_backend_sched_get_backend(ctx->get_sched(), 0));
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

                const bool is_timed = at + 2*batch >= n_before;
                if (is_timed && timed.empty()) {
                    marks.set();
                }
                must(llama_retain_observe(ctx.get(), what | (all_observed && at/batch%n_stride == 0 ? LLAMA_RETAIN_QUERIES : 0), rows), "no room for queries");
                must(llama_decode(ctx.get(), part) == 0, "reading failed");
                if (is_timed) {
                    marks.set();
                    timed.push_back({ n, rows });
                }
                // all queries that are asked for are on their way
                if (all_observed && at/batch == (n_batches - 1)/n_stride*n_stride) {
                    llama_retain_expect(ctx.get(), run.tokens, 512);
                }
            }
            for (auto & of_layer : scores) {
                of_layer.resize(size_t(n_head)*n_before);
            }
            llama_retain_ahead(ctx.get(), n_before, all_observed);
            result.read_ms += ms_since(from_read);
            const auto times = marks.times();
            double usual_ms = 0;
            for (size_t i = 0; i < timed.size(); ++i) {
                const double ms = times[i + 1] - times[i];
                if (timed[i].n_scored == 0) {
                    usual_ms = ms;
                } else {
                    result.score_ms += usual_ms == 0 ? 0 : std::max(0.0, ms - usual_ms*timed[i].n/batch);
                }
            }
            if (end == n_layer) {
                llama_retain_hold(ctx.get(), GGML_TYPE_F16, 0);
            }
            for (uint32_t il = begin; il < end; ++il) {
                auto from = Clock::now();
                uint32_t n_cells = 0;
                const float * row = llama_retain_observed(ctx.get(), il, LLAMA_RETAIN_SUMS, &n_cells);
                must(row, "no scores");
                for (uint32_t h = 0; h < n_head; ++h) {
                    std::copy_n(row + size_t(h)*n_cells, n_before, scores[il - begin].data() + size_t(h)*n_before);
                }
                must(!all_observed || llama_retain_observed(ctx.get(), il, LLAMA_RETAIN_SQUARES, &n_cells), "no squares");
                result.read_back_ms += ms_since(from);
                if (!all_observed) {
                    continue;
                }
                from = Clock::now();
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
            llama_retain_forget(ctx.get());
            const auto position = [&](uint32_t row) { return passed.empty() ? row : passed[row]; };
            const auto from_choice = Clock::now();
            std::vector<Choice> choices;
            for (uint32_t il = begin; il < end; ++il) {
                const double   share  = run.side == "uneven" && n_layer > 1 ? run.kept*(0.5 + double(il)/(n_layer - 1)) : run.kept;
                std::vector<uint32_t> n_keep(llama_model_n_head_kv(model));
                for (size_t h = 0; h < n_keep.size(); ++h) {
                    const double of = run.side == "heads" && n_keep.size() > 1 ? share*(0.5 + double(h)/(n_keep.size() - 1)) : share;
                    n_keep[h] = std::min<uint32_t>(n_before, std::max(1.0, of*run.tokens - (run.kept < 1 ? window : 0)));
                }
                choices.push_back({ &scores[il - begin], n_keep });
            }
            for (auto & plan : best(choices, n_head, n_before)) {
                for (auto & head : plan) {
                    std::transform(head.begin(), head.end(), head.begin(), position);
                }
                result.plans.push_back(std::move(plan));
            }
            result.select_ms += ms_since(from_choice);
            const auto from_keep = Clock::now();
            for (uint32_t il = begin; il < end; ++il) {
                std::vector<uint32_t> positions;
                for (const auto & head : result.plans[il]) {
                    positions.insert(positions.end(), head.begin(), head.end());
                }
                const auto & n_keep = choices[il - begin].n_keep;
                must(llama_retain_keep(ctx.get(), il, positions.data(), n_keep.data(), run.tokens, window) == LLAMA_RETAIN_KEPT, "nothing was kept");
            }
            result.keep_ms += ms_since(from_keep);
            if (end == cut && end < n_layer) {
                const auto from = Clock::now();
                const uint32_t n_most = std::min<uint32_t>(4096, 0.325*n_before);
                // of all heads the best: as if they were the queries of one
                passed = best({ { &scores[end - 1 - begin], { n_most } } }, n_head, n_before)[0][0];
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

Result measure(llama_model * model, const Run & run, ggml_backend_dev_t device, const std::vector<llama_token> & given, bool offload) {
    return Measurement(model, run, offload).measure(device, given);
}
