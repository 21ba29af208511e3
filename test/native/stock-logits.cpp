// Stock llama.cpp, driven the plain way, for comparison: reads tokens (u32) from standard input, decodes the first
// PROMPT of them in batches of BATCH and the rest one by one, and writes the logits after the prompt and after each
// further token (f32) to standard output.
// usage: stock-logits MODEL PROMPT BATCH THREADS f16|q8_0|q4_0
#include "llama.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

int main(int argc, char ** argv) {
    if (argc != 6) {
        return 2;
    }
    const int n_prompt = atoi(argv[2]), n_batch = atoi(argv[3]), n_threads = atoi(argv[4]);

    std::vector<llama_token> tokens;
    llama_token token;
    while (fread(&token, sizeof(token), 1, stdin) == 1) {
        tokens.push_back(token);
    }

    llama_log_set([](ggml_log_level, const char *, void *) {}, nullptr);
    ggml_backend_load_all_from_path(getenv("GGML_BACKENDS"));
    llama_model * model = llama_model_load_from_file(argv[1], llama_model_default_params());
    if (!model) {
        return 1;
    }
    llama_context_params params = llama_context_default_params();
    params.n_ctx = tokens.size();
    params.n_batch = params.n_ubatch = n_batch;
    params.n_threads = params.n_threads_batch = n_threads;
    const std::string kv = argv[5];
    params.type_k = params.type_v = kv == "q8_0" ? GGML_TYPE_Q8_0 : kv == "q4_0" ? GGML_TYPE_Q4_0 : GGML_TYPE_F16;
    params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_ENABLED;
    llama_context * ctx = llama_init_from_model(model, params);
    if (!ctx) {
        return 1;
    }

    const int n_vocab = llama_vocab_n_tokens(llama_model_get_vocab(model));
    for (size_t at = 0; at < tokens.size();) {
        const bool prompt = (int) at < n_prompt;
        const int  n      = prompt ? std::min<int>(n_batch, n_prompt - at) : 1;
        if (llama_decode(ctx, llama_batch_get_one(tokens.data() + at, n)) != 0) {
            return 1;
        }
        at += n;
        if ((int) at >= n_prompt) {
            fwrite(llama_get_logits_ith(ctx, -1), sizeof(float), n_vocab, stdout);
        }
    }
    llama_free(ctx);
    llama_model_free(model);
    return 0;
}
