#include "context.h"

#include "job.h"

#include <algorithm>
#include <cstring>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

// glibc keeps freed blocks of a few MiB; the point of retention is that they go back
static void return_memory() {
#if defined(__GLIBC__)
    malloc_trim(0);
#endif
}

Context::Context(const std::string & model_path, std::vector<llama_token> prompt, uint32_t window, const Options & options) :
    tokens(std::move(prompt)), window(window), options(options) {
    llama_model * found = llama_retain_find_model(model_path.c_str());
    if (!found) {
        throw Failure("model-missing", "the model is not loaded in this process");
    }
    if (const char * reason = llama_retain_refusal(found)) {
        throw Failure("model-unsupported", reason);
    }
    if (tokens.empty() || window == 0 || window > tokens.size()) {
        throw Failure("failed", "the observation window must lie inside the prompt");
    }
    model   = found;
    n_layer = llama_model_n_layer(model);

    llama_context_params params = llama_context_default_params();
    // a sliding-window cache is sized by the context, and must not fill up while writing
    params.n_ctx           = tokens.size() + llama_model_n_swa(model);
    params.n_batch         = options.batch;
    params.n_ubatch        = options.batch;
    params.n_outputs_max   = 1;
    params.n_threads       = options.threads;
    params.n_threads_batch = options.threads;
    params.type_k          = options.kv_type;
    params.type_v          = options.kv_type;
    params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_AUTO;
    params.no_perf         = true;
    params.abort_callback      = [](void * self) { return static_cast<Context *>(self)->aborted.load(); };
    params.abort_callback_data = this;

    ctx.reset(llama_retain_init(found, params));
    if (!ctx) {
        throw Failure("out-of-memory", "the buffers for computing could not be allocated");
    }
    if (!llama_retain_flash_attn(ctx.get())) {
        throw Failure("model-unsupported", "flash attention is not available for it on this device");
    }
}

void Context::check(int status, const char * what) const {
    if (aborted || status == 2) {
        throw Failure("cancelled", "cancelled");
    }
    if (status == -2) {
        throw Failure("out-of-memory", std::string(what) + ": a buffer could not be allocated");
    }
    if (status != 0) {
        throw Failure("failed", std::string(what) + " failed with status " + std::to_string(status));
    }
}

std::vector<std::vector<float>> Context::read(uint32_t begin, uint32_t end, Reduction reduction, bool plain) {
    const uint32_t n_tokens = tokens.size();
    const uint32_t n_before = n_tokens - window;
    const uint32_t n_embd   = llama_model_n_embd(model);
    const uint32_t n_head   = llama_model_n_head(model);
    const uint32_t n_kv     = llama_model_n_head_kv(model);
    const bool     last     = end == n_layer;

    if (begin >= end || end > n_layer || (begin > 0 && hidden.empty())) {
        throw Failure("failed", "layers must be read in order");
    }
    const size_t row_bytes = n_embd*(options.hidden_f16 ? sizeof(ggml_fp16_t) : sizeof(float));
    if (!last) {
        hidden.resize(n_tokens*row_bytes);
    }
    if (!llama_retain_begin(ctx.get(), begin, end, n_tokens, plain)) {
        throw Failure("out-of-memory", "the KV cache of a layer group could not be allocated");
    }
    peak = std::max(peak, llama_retain_peak_bytes(ctx.get()) + hidden.size());

    std::vector<uint32_t> scored;
    for (uint32_t il = begin; reduction != Reduction::none && il < end; ++il) {
        if (!llama_retain_is_sliding(model, il)) {
            scored.push_back(il);
        }
    }
    std::vector<std::vector<float>> by_head(scored.size(), std::vector<float>(size_t(n_head)*n_before, 0.0f));

    const uint32_t batch = options.batch;
    std::vector<float>          states(options.hidden_f16 && begin > 0 ? size_t(batch)*n_embd : 0);
    std::vector<llama_pos>      pos(batch);
    std::vector<int32_t>        n_seq_id(batch, 1);
    llama_seq_id                seq = 0;
    std::vector<llama_seq_id *> seq_id(batch, &seq);
    std::vector<int8_t>         output(batch, 0);

    for (uint32_t start = 0; start < n_tokens; start += batch) {
        const uint32_t n    = std::min(batch, n_tokens - start);
        const uint32_t stop = start + n;
        const uint32_t rows = reduction == Reduction::none || stop <= n_before ? 0 : stop - std::max(start, n_before);

        for (uint32_t i = 0; i < n; ++i) {
            pos[i] = start + i;
        }
        output[n - 1] = last && stop == n_tokens;

        uint8_t * waiting = hidden.data() + start*row_bytes;
        if (!states.empty()) {
            ggml_fp16_to_fp32_row((const ggml_fp16_t *) waiting, states.data(), int64_t(n)*n_embd);
        }

        llama_batch part = {};
        part.n_tokens = n;
        part.token    = begin == 0 ? tokens.data() + start : nullptr;
        part.embd     = begin == 0 ? nullptr : states.empty() ? (float *) waiting : states.data();
        part.pos      = pos.data();
        part.n_seq_id = n_seq_id.data();
        part.seq_id   = seq_id.data();
        part.logits   = output.data();

        llama_retain_set_rows(ctx.get(), rows);
        check(llama_decode(ctx.get(), part), "reading");

        if (!last) {
            const float * leaving = llama_retain_hidden(ctx.get());
            if (options.hidden_f16) {
                ggml_fp32_to_fp16_row(leaving, (ggml_fp16_t *) waiting, int64_t(n)*n_embd);
            } else {
                memcpy(waiting, leaving, n*row_bytes);
            }
        }
        for (size_t l = 0; rows > 0 && l < scored.size(); ++l) {
            uint32_t n_cells = 0;
            const float * part_scores = llama_retain_scores(ctx.get(), scored[l], &n_cells);
            if (!part_scores) {
                throw Failure("failed", "a layer returned no scores");
            }
            auto & sums = by_head[l];
            const uint32_t n_seen = std::min(n_cells, n_before);
            for (uint32_t h = 0; h < n_head; ++h) {
                for (uint32_t i = 0; i < n_seen; ++i) {
                    sums[size_t(h)*n_before + i] += part_scores[size_t(h)*n_cells + i];
                }
            }
        }
        done = done + double(n)*(end - begin);
    }
    llama_synchronize(ctx.get());
    llama_retain_set_rows(ctx.get(), 0);
    check(0, "reading");

    if (last) {
        hidden = {};
        n_past = n_tokens;
    }

    // query heads g*n .. (g+1)*n-1 share KV head g
    const uint32_t n_group = n_head/n_kv;
    std::vector<std::vector<float>> scores(by_head.size());
    for (size_t l = 0; l < by_head.size(); ++l) {
        scores[l].assign(size_t(n_kv)*n_before, 0.0f);
        for (uint32_t h = 0; h < n_head; ++h) {
            const float * from = by_head[l].data() + size_t(h)*n_before;
            float *       to   = scores[l].data() + size_t(h/n_group)*n_before;
            for (uint32_t i = 0; i < n_before; ++i) {
                to[i] = reduction == Reduction::max ? std::max(to[i], from[i]) : to[i] + from[i]/n_group;
            }
        }
        by_head[l] = {};
    }
    return scores;
}

void Context::keep(const std::vector<Keep> & layers) {
    for (const auto & layer : layers) {
        if (aborted) {
            throw Failure("cancelled", "cancelled");
        }
        if (layer.positions.size() != size_t(layer.count)*llama_model_n_head_kv(model)) {
            throw Failure("failed", "a retention plan has the wrong shape");
        }
        if (!llama_retain_keep(ctx.get(), layer.layer, layer.positions.data(), layer.count, tokens.size(), window)) {
            throw Failure("failed", "layer " + std::to_string(layer.layer) + " cannot keep what the plan names");
        }
    }
    retained = true;
    return_memory();
}

void Context::finish() {
    if (retained && !llama_retain_finish(ctx.get(), tokens.size(), window)) {
        throw Failure("failed", "a layer was read but not retained");
    }
    return_memory();
}

void Context::decode(llama_token token) {
    // the first cells of a retained cache are the window; otherwise all tokens stand there
    const uint32_t used = n_past - (retained ? uint32_t(tokens.size()) - window : 0);
    if (used + 1 > llama_retain_n_cells(ctx.get()) && !llama_retain_reserve(ctx.get(), used + 256)) {
        throw Failure("out-of-memory", "the KV cache could not grow");
    }
    check(llama_decode(ctx.get(), llama_batch_get_one(&token, 1)), "decoding");
    n_past++;
}

// the length of the longest prefix of whole UTF-8 characters
static size_t whole_characters(const std::string & text) {
    size_t i = text.size();
    for (size_t back = 1; back <= 3 && back <= text.size(); ++back) {
        const unsigned char c = text[text.size() - back];
        if ((c & 0xC0) == 0x80) {
            continue;
        }
        const size_t need = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
        if (need > back) {
            i = text.size() - back;
        }
        break;
    }
    return i;
}

bool Context::write(const Sampling & s, uint32_t max_tokens, uint32_t & n_written, const std::function<void(const std::string &)> & on_text) {
    const llama_vocab * vocab = llama_model_get_vocab(model);

    struct FreeSampler { void operator()(llama_sampler * sampler) const { llama_sampler_free(sampler); } };
    std::unique_ptr<llama_sampler, FreeSampler> chain(llama_sampler_chain_init(llama_sampler_chain_default_params()));
    const auto add = [&](llama_sampler * sampler) { llama_sampler_chain_add(chain.get(), sampler); };

    if (s.repeat_penalty != 1.0f) {
        add(llama_sampler_init_penalties(llama_vocab_n_tokens(vocab), 64, s.repeat_penalty, 0.0f, 0.0f));
    }
    if (s.temperature <= 0.0f) {
        add(llama_sampler_init_greedy());
    } else {
        if (s.top_k > 0)    add(llama_sampler_init_top_k(s.top_k));
        if (s.top_p < 1.0f) add(llama_sampler_init_top_p(s.top_p, 1));
        if (s.min_p > 0.0f) add(llama_sampler_init_min_p(s.min_p, 1));
        add(llama_sampler_init_temp(s.temperature));
        add(llama_sampler_init_dist(s.seed));
    }

    std::string pending;
    char piece[256];
    for (n_written = 0; n_written < max_tokens; ++n_written) {
        const llama_token token = llama_sampler_sample(chain.get(), ctx.get(), -1);
        if (llama_vocab_is_eog(vocab, token)) {
            on_text(pending);
            return true;
        }
        const int n = llama_token_to_piece(vocab, token, piece, sizeof(piece), 0, false);
        if (n > 0) {
            pending.append(piece, n);
            const size_t whole = whole_characters(pending);
            if (whole > 0) {
                on_text(pending.substr(0, whole));
                pending.erase(0, whole);
            }
        }
        decode(token);
    }
    on_text(pending);
    return false;
}

std::vector<float> Context::feed(const std::vector<llama_token> & following) {
    std::vector<float> all;
    for (const llama_token token : following) {
        decode(token);
        const auto row = logits();
        all.insert(all.end(), row.begin(), row.end());
    }
    return all;
}

std::vector<float> Context::logits() const {
    const float * row = llama_get_logits_ith(ctx.get(), -1);
    if (!row) {
        throw Failure("failed", "nothing was read yet");
    }
    return std::vector<float>(row, row + llama_vocab_n_tokens(llama_model_get_vocab(model)));
}

size_t Context::layer_bytes(uint32_t layer) const {
    return layer < n_layer ? llama_retain_layer_bytes(ctx.get(), layer) : 0;
}

size_t Context::peak_bytes() const {
    return std::max(peak, llama_retain_peak_bytes(ctx.get()));
}
