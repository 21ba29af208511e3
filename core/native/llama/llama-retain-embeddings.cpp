// Embeddings of a batch's tokens, while a device reads the first layers

#include "llama-retain-impl.h"

#include <algorithm>
#include <cstring>

void llama_retain::hold_embd(llama_context * ctx, llama_retain_reading & reading, ggml_backend_buffer_type_t buft) {
    const auto * tok_embd = ctx->model.tok_embd;
    const auto & hparams  = ctx->model.hparams;
    auto embd = std::make_unique<llama_retain_reading::embd_t>();
    embd->device = ggml_backend_buft_is_host(buft) ? nullptr : backend(ctx, buft);
    if (!embd->device || !ggml_backend_buffer_is_host(tok_embd->buffer) || hparams.n_embd_inp() != hparams.n_embd ||
            !(tok_embd->type == GGML_TYPE_F32 || ggml_get_type_traits(tok_embd->type)->to_float)) {
        return;
    }
    ggml_init_params params = { 2*ggml_tensor_overhead(), nullptr, true };
    embd->tensors.reset(ggml_init(params));
    for (auto *& t : embd->t) {
        t = ggml_new_tensor_2d(embd->tensors.get(), GGML_TYPE_F32, hparams.n_embd, ctx->cparams.n_ubatch);
    }
    embd->buffer.reset(ggml_backend_alloc_ctx_tensors_from_buft(embd->tensors.get(), buft));
    embd->before.reset(ggml_backend_event_new(ggml_backend_get_device(embd->device)));
    if (embd->buffer && embd->before) {
        reading.embd = std::move(embd);
    }
}

void llama_retain_look_up(llama_retain_reading & reading, const ggml_tensor * tok_embd, const llama_token * tokens, int64_t n_tokens, int n_threads) {
    auto & embd = *reading.embd;
    const ggml_tensor * to = embd.t[embd.turn];
    embd.rows.resize(ggml_nelements(to));
    const auto to_float = ggml_get_type_traits(tok_embd->type)->to_float;
    llama_retain::share(std::min(n_threads, 4), n_tokens, [&](int64_t i) {
        const char * row = (const char *) tok_embd->data + tokens[i]*tok_embd->nb[1];
        float * into = embd.rows.data() + i*to->ne[0];
        if (to_float) {
            to_float(row, into, to->ne[0]);
        } else {
            memcpy(into, row, to->ne[0]*sizeof(float));
        }
    });

    // the other tensor is the last batch's, which may be under way; this one is that of the batch before
    if (embd.any) {
        ggml_backend_event_synchronize(embd.before.get());
    }
    ggml_backend_event_record(embd.before.get(), embd.device);
    ggml_backend_tensor_set(const_cast<ggml_tensor *>(to), embd.rows.data(), 0, n_tokens*to->nb[1]);
    embd.any  = true;
    embd.turn = 1 - embd.turn;
}
