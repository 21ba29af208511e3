// Which models can be read, and contexts for them

#include "llama-retain.h"

#include "llama-context.h"
#include "llama-model.h"

#include <algorithm>
#include <mutex>
#include <string>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/mman.h>
#include <unistd.h>
#endif

//
// models by path: the addon that computes is not the one that loads
//

static std::mutex g_models_mutex;
static std::vector<std::pair<std::string, llama_model *>> g_models;

llama_model * llama_retain_remember_model(llama_model * model, const char * path) {
    if (model) {
        std::lock_guard<std::mutex> lock(g_models_mutex);
        g_models.emplace_back(path, model);
    }
    return model;
}

void llama_retain_forget_model(const llama_model * model) {
    std::lock_guard<std::mutex> lock(g_models_mutex);
    g_models.erase(std::remove_if(g_models.begin(), g_models.end(), [&](const auto & m) { return m.second == model; }), g_models.end());
}

llama_model * llama_retain_find_model(const char * path) {
    std::lock_guard<std::mutex> lock(g_models_mutex);
    for (auto it = g_models.rbegin(); it != g_models.rend(); ++it) {
        if (it->first == path) {
            return it->second;
        }
    }
    return nullptr;
}

int32_t llama_retain_abi(void) {
    return LLAMA_RETAIN_ABI;
}

//
// contexts
//

// llama_context_params travels by value between separately compiled libraries, so it cannot grow a field
static thread_local bool     t_deferred = false;
static thread_local uint32_t t_n_layers = 0;
static thread_local uint32_t t_n_rows   = 0;

bool llama_retain_deferred() {
    return t_deferred;
}

void llama_retain_set_room(llama_cparams & cparams) {
    cparams.retain = t_deferred;
    cparams.retain_most_layers = t_deferred ? t_n_layers : 0;
    cparams.retain_most_rows   = t_deferred ? t_n_rows   : 0;
}

const char * llama_retain_refusal(const llama_model * model) {
    static thread_local std::string reason;
    const auto & hparams = model->hparams;

    if (llama_model_is_recurrent(model) || llama_model_is_hybrid(model)) {
        return "its recurrent layers keep no KV cache to compress";
    }
    // those whose graph is bounded by il_begin and il_end
    static const llm_arch supported[] = {
        LLM_ARCH_LLAMA, LLM_ARCH_MISTRAL3, LLM_ARCH_QWEN2, LLM_ARCH_QWEN3, LLM_ARCH_PHI3, LLM_ARCH_SMOLLM3, LLM_ARCH_GRANITE,
        LLM_ARCH_GEMMA3,
    };
    if (std::find(std::begin(supported), std::end(supported), model->arch) == std::end(supported)) {
        reason = std::string("the architecture '") + llm_arch_name(model->arch) + "' is not supported (supported:";
        for (const auto arch : supported) {
            reason += std::string(" ") + llm_arch_name(arch);
        }
        reason += ")";
        return reason.c_str();
    }
    if (hparams.use_alibi || hparams.is_mla() || !hparams.causal_attn || hparams.n_layer() != hparams.n_layer_all) {
        return "its kind of attention is not supported";
    }
    return nullptr;
}

const char * llama_retain_pass_refusal(const llama_model * model) {
    if (const char * reason = llama_retain_refusal(model)) {
        return reason;
    }
    // the cells of sliding layers stand for the same positions in all of them
    if (model->hparams.is_swa_any()) {
        return "its sliding layers need the neighbours of every token";
    }
    if (model->hparams.f_attn_temp_scale != 0.0f) {
        return "its attention is scaled by positions that llama.cpp counts in the batch";
    }
    return nullptr;
}

bool llama_retain_is_sliding(const llama_model * model, uint32_t il) {
    return model->hparams.is_swa(il);
}

bool llama_retain_can_write(const llama_model * model) {
    return !llama_model_has_encoder(model) && model->hparams.causal_attn;
}

void llama_retain_release(const void * data, size_t size) {
#if defined(__unix__) || defined(__APPLE__)
    const uintptr_t page  = uintptr_t(sysconf(_SC_PAGESIZE));
    const uintptr_t begin = GGML_PAD(uintptr_t(data), page);
    const uintptr_t end   = (uintptr_t(data) + size) / page * page;
    if (begin < end) {
        madvise((void *) begin, end - begin, MADV_DONTNEED);
    }
#else
    GGML_UNUSED(data);
    GGML_UNUSED(size);
#endif
}

llama_context * llama_retain_init(llama_model * model, llama_context_params params, uint32_t n_layers, uint32_t n_rows) {
    t_deferred = true;
    t_n_layers = std::min(n_layers, model->hparams.n_layer());
    t_n_rows   = std::min(n_rows, params.n_ubatch);
    llama_context * ctx = llama_init_from_model(model, params);
    t_deferred = false;
    return ctx;
}

bool llama_retain_flash_attn(const llama_context * ctx) {
    return ctx->get_cparams().flash_attn;
}
