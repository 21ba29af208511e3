// An answer is written on the compressed cache, token by token.

#include "context-parts.h"
#include "job.h"

#include <algorithm>

// the next tokens at their true positions; logits after the last
void Context::decode(const llama_token * list, uint32_t n) {
    give_way();
    if (options.grouped) {
        // the first cells of a retained cache are the window; otherwise all tokens stand there
        const uint32_t used = n_past - (retained ? uint32_t(tokens.size()) - window : 0);
        const uint32_t room = used + std::max(n, std::min<uint32_t>(options.room, 256));
        if (used + n > llama_retain_n_cells(ctx.get()) && !llama_retain_reserve(ctx.get(), retained ? room : GGML_PAD(room, n_cells_step))) {
            throw Failure("out-of-memory", "the KV cache could not grow");
        }
    }
    std::vector<llama_pos> pos(n);
    std::vector<int8_t>    output(n, 0);
    for (uint32_t i = 0; i < n; ++i) {
        pos[i] = n_past + i;
    }
    output[n - 1] = 1;
    // positions are given: a cache that starts without cells would count from 0
    llama_batch part = {};
    part.n_tokens = n;
    part.token    = const_cast<llama_token *>(list);
    part.pos      = pos.data();
    part.logits   = output.data();
    check(llama_decode(ctx.get(), part), "decoding");
    resumed.clear();
    n_past += n;
}

// has the compressed cache read what was written on the whole one alone
void Context::catch_up() {
    for (uint32_t end = tokens.size() + written.size(); n_past < end; ) {
        const uint32_t n = std::min(options.batch, end - n_past);
        decode(written.data() + (n_past - tokens.size()), n);
    }
}

// takes back what was written behind the first n_left tokens
void Context::forget(uint32_t n_left) {
    const auto remove = [&](llama_context * from, uint32_t & n_held) {
        if (n_held > n_left && !llama_memory_seq_rm(llama_get_memory(from), 0, n_left, -1)) {
            throw Failure("failed", "what was drafted cannot be forgotten");
        }
        n_held = std::min(n_held, n_left);
    };
    remove(ctx.get(), n_past);
    if (whole) {
        remove(whole->ctx.get(), whole->n_past);
    }
    written.resize(n_left - tokens.size());
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

llama_token sample(llama_sampler * chain, const std::vector<float> & logits) {
    std::vector<llama_token_data> candidates(logits.size());
    for (size_t id = 0; id < logits.size(); ++id) {
        candidates[id] = { llama_token(id), logits[id], 0.0f };
    }
    llama_token_data_array array = { candidates.data(), candidates.size(), -1, false };
    llama_sampler_apply(chain, &array);
    const llama_token token = array.data[array.selected].id;
    llama_sampler_accept(chain, token);
    return token;
}

static std::shared_ptr<llama_sampler> sampler_of(const Sampling & s, const llama_vocab * vocab) {
    std::shared_ptr<llama_sampler> chain(llama_sampler_chain_init(llama_sampler_chain_default_params()), llama_sampler_free);
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
    return chain;
}

// passes on what is whole of the text
void Context::emit(llama_token token, const OnText & on_text) {
    char piece[256];
    const int n = llama_token_to_piece(llama_model_get_vocab(model), token, piece, sizeof(piece), 0, false);
    if (n > 0) {
        pending.append(piece, n);
        const size_t whole = whole_characters(pending);
        if (whole > 0) {
            on_text(pending.substr(0, whole));
            pending.erase(0, whole);
        }
    }
}

void Context::begin_writing(const Sampling & s, bool go_on) {
    if (!go_on || !sampler) {
        sampler = sampler_of(s, llama_model_get_vocab(model));
        pending.clear();
        next.reset();
    }
}

bool Context::write(const Sampling & s, uint32_t max_tokens, bool go_on, uint32_t & n_written, const OnText & on_text) {
    const llama_vocab * vocab = llama_model_get_vocab(model);
    begin_writing(s, go_on);
    catch_up();
    for (n_written = 0; n_written < max_tokens; ++n_written) {
        const llama_token token = next ? *next :
            resumed.empty() ? llama_sampler_sample(sampler.get(), ctx.get(), -1) : sample(sampler.get(), resumed);
        next.reset();
        if (llama_vocab_is_eog(vocab, token)) {
            on_text(pending);
            return true;
        }
        emit(token, on_text);
        written.push_back(token);
        decode(&token, 1);
    }
    return false;
}

std::vector<float> Context::feed(const std::vector<llama_token> & following) {
    std::vector<float> all;
    for (const llama_token token : following) {
        written.push_back(token);
        decode(&token, 1);
        const auto row = logits();
        all.insert(all.end(), row.begin(), row.end());
    }
    return all;
}

void Context::rewind(std::vector<float> prompt_logits) {
    forget(tokens.size());
    if (whole) {
        whole->logits = prompt_logits;
    }
    resumed = std::move(prompt_logits);
    sampler.reset();
}

std::vector<float> Context::logits() const {
    if (!resumed.empty()) {
        return resumed;
    }
    const float * row = llama_get_logits_ith(ctx.get(), -1);
    if (!row) {
        throw Failure("failed", "nothing was read yet");
    }
    return std::vector<float>(row, row + llama_vocab_n_tokens(llama_model_get_vocab(model)));
}
