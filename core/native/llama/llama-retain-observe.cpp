// What a policy chooses by: attention, keys, lengths of values

#include "llama-retain-impl.h"

#include <algorithm>
#include <cstring>

void llama_retain_queries::add(const llama_retain_query_batch & batch) {
    n      += batch.n;
    scale   = batch.scale;
    rotated = batch.rope != nullptr;
    if (rotated) {
        rope.assign(batch.rope->op_params, batch.rope->op_params + std::size(batch.rope->op_params));
        factors = batch.rope->src[2];
    }
}

int64_t llama_retain_rows_at_once(int64_t n_kv, int64_t n_gqa, bool on_host) {
    return std::clamp<int64_t>((1 << (on_host ? 21 : 22))/(n_kv*n_gqa), 1, 16);
}

uint32_t llama_retain_max_nodes(const llama_model & model, const llama_cparams & cparams) {
    const auto & hparams = model.hparams;
    int64_t n_head_kv = 0, n_gqa = 1;
    for (uint32_t il = 0; il < hparams.n_layer(); ++il) {
        n_head_kv = std::max<int64_t>(n_head_kv, hparams.n_head_kv(il));
        n_gqa     = std::max<int64_t>(n_gqa, hparams.n_head(il)/std::max(1u, hparams.n_head_kv(il)));
    }
    // of each KV head: 15 for as many queries as go together, and 17 to add them up for each of three sums, of parts of two sizes;
    // that again where the mask is in parts, of 128 queries at least. Heads that are stored apart have 24 instead
    const int64_t n_rows  = cparams.retain_most_rows;
    const int64_t n_parts = n_rows/llama_retain_rows_at_once(GGML_PAD(cparams.n_ctx, 256), n_gqa, true) + 2;
    const int64_t n_each  = 15*n_parts + 104*(n_rows/128 + 1);
    return n_head_kv*(24*hparams.n_layer() + n_each*cparams.retain_most_layers);
}

struct llama_retain::observing {
    static bool observe(llama_context * ctx, uint32_t what, uint32_t n_rows) {
        auto & cparams = ctx->cparams;
        cparams.retain_what      = what;
        cparams.retain_rows      = n_rows;
        cparams.retain_attention = &ctx->retain_attention;
        cparams.retain_queries   = &ctx->retain_queries;
        cparams.retain_alike     = step(cache(ctx)) > 1;
        auto & kv = cache(ctx);
        if (cparams.retain_alike && kv.v_cells[0].used_max_p1() > kv.get_size()/2) {
            renew_cells(kv); // the device has enough to do now
        }
        const uint32_t end = cparams.retain_end == 0 ? ctx->model.hparams.n_layer() : cparams.retain_end;
        const bool any = n_rows > 0 || (what & LLAMA_RETAIN_QUERIES);
        if (n_rows > cparams.retain_most_rows || (any && end - cparams.retain_begin > cparams.retain_most_layers)) {
            return false;
        }
        for (uint32_t il = cparams.retain_begin; il < end; ++il) {
            if (cache(ctx).map_layer_ids.count(il) &&
                ((n_rows > 0 && !sum_attention(ctx, il)) || ((what & LLAMA_RETAIN_QUERIES) && !sum_queries(ctx, il)))) {
                return false;
            }
        }
        return lay_out(ctx);
    }

    static void forget(llama_context * ctx) {
        ctx->synchronize();
        ctx->retain_expecting.reset();
        ctx->retain_scratch = {};
        ctx->retain_lay_out = 0;
        ctx->cparams.retain_what = 0;
        ctx->cparams.retain_rows = 0;
        ctx->retain_attention.clear();
        ctx->retain_queries.clear();
    }

    // where the layer's keys lie, zeros. false: no memory
    static bool place(llama_context * ctx, uint32_t il, const ggml_context_ptr & tensors, ggml_backend_buffer_ptr & buffer) {
        auto * buft = ggml_backend_buffer_get_type(layer_of(ctx, il).k->buffer);
        buffer.reset(ggml_backend_alloc_ctx_tensors_from_buft(tensors.get(), buft));
        if (!buffer) {
            return false;
        }
        ggml_backend_buffer_clear(buffer.get(), 0);
        ++ctx->cparams.retain_gen; // a graph that adds to others is not to be used again
        return true;
    }

    static bool sum_attention(llama_context * ctx, uint32_t il) {
        if (ctx->retain_attention.count(il)) {
            return true;
        }
        llama_retain_attention attention;
        ggml_init_params params = { 3*ggml_tensor_overhead(), nullptr, true };
        attention.tensors.reset(ggml_init(params));
        for (const uint32_t what : { LLAMA_RETAIN_SUMS, LLAMA_RETAIN_SQUARES, LLAMA_RETAIN_ENTROPY }) {
            if (ctx->cparams.retain_what & what) {
                attention.sums[what] = ggml_new_tensor_2d(attention.tensors.get(), GGML_TYPE_F32, cache(ctx).get_size(), ctx->model.hparams.n_head(il));
            }
        }
        return attention.sums.empty() ||
            (place(ctx, il, attention.tensors, attention.buffer) && ctx->retain_attention.emplace(il, std::move(attention)).second);
    }

    static bool sum_queries(llama_context * ctx, uint32_t il) {
        if (ctx->retain_queries.count(il)) {
            return true;
        }
        llama_retain_queries queries;
        ggml_init_params params = { 2*ggml_tensor_overhead(), nullptr, true };
        queries.tensors.reset(ggml_init(params));
        const auto & hparams = ctx->model.hparams;
        const int64_t n_embd = hparams.n_embd_head_k(il);
        queries.sum      = ggml_new_tensor_3d(queries.tensors.get(), GGML_TYPE_F32, 1,      n_embd, hparams.n_head(il));
        queries.products = ggml_new_tensor_3d(queries.tensors.get(), GGML_TYPE_F32, n_embd, n_embd, hparams.n_head(il));
        return place(ctx, il, queries.tensors, queries.buffer) && ctx->retain_queries.emplace(il, std::move(queries)).second;
    }

    static const float * observed(llama_context * ctx, uint32_t il, uint32_t what, uint32_t * n_kv) {
        ctx->synchronize();
        const auto layer = ctx->retain_attention.find(il);
        if (layer == ctx->retain_attention.end() || !layer->second.sums.count(what)) {
            return nullptr;
        }
        const ggml_tensor * t = layer->second.sums.at(what);
        auto * values = read_buffer(ctx, ggml_backend_buffer_get_type(layer->second.buffer.get()), ggml_nbytes(t));
        if (!values) {
            return nullptr;
        }
        ggml_backend_tensor_get(t, values, 0, ggml_nbytes(t));
        *n_kv = t->ne[0];
        return values;
    }

    static uint32_t keys(llama_context * ctx, uint32_t il, uint32_t n_rows, float * keys) {
        ctx->synchronize();
        const auto * t = staging(ctx, il, false, n_rows);
        if (!t) {
            return 0;
        }
        const uint32_t n_head = ctx->model.hparams.n_head_kv(il);
        const uint32_t n_embd = t->ne[0]/n_head;
        std::vector<uint8_t> copy;
        // who asks for the size alone is not to copy the layer
        const uint8_t * data = keys ? on_host(t, copy) : nullptr;
        for (uint32_t h = 0; keys && h < n_head; ++h) {
            for (uint32_t r = 0; r < n_rows; ++r) {
                ggml_fp16_to_fp32_row((const ggml_fp16_t *) (data + r*t->nb[1]) + h*n_embd, keys, n_embd);
                keys += n_embd;
            }
        }
        return n_embd;
    }

    static bool value_norms(llama_context * ctx, uint32_t il, uint32_t n_rows, float * norms) {
        ctx->synchronize();
        const auto * t = staging(ctx, il, true, n_rows);
        if (!t) {
            return false;
        }
        const int64_t n_head = ctx->model.hparams.n_head_kv(il);
        return by_parts(ctx, t, n_rows, 2*t->ne[0], n_head,
            [&](ggml_context * c, ggml_cgraph *, ggml_tensor * v) {
                v = ggml_cast(c, v, GGML_TYPE_F32);
                v = ggml_mul(c, v, v);
                v = ggml_sum_rows(c, ggml_reshape_3d(c, v, v->ne[0]/n_head, n_head, v->ne[1]));
                return ggml_sqrt(c, ggml_cont(c, ggml_transpose(c, ggml_reshape_2d(c, v, n_head, v->ne[2])))); // [rows, n_head]
            },
            [&](const float * lengths, int64_t start, int64_t n) {
                for (int64_t h = 0; h < n_head; ++h) {
                    std::copy_n(lengths + h*n, n, norms + h*n_rows + start);
                }
            });
    }
};

bool llama_retain_observe(llama_context * ctx, uint32_t what, uint32_t n_rows) {
    return llama_retain::observing::observe(ctx, what, n_rows);
}

void llama_retain_forget(llama_context * ctx) {
    llama_retain::observing::forget(ctx);
}

const float * llama_retain_observed(llama_context * ctx, uint32_t il, uint32_t what, uint32_t * n_kv) {
    return llama_retain::observing::observed(ctx, il, what, n_kv);
}

uint32_t llama_retain_keys(llama_context * ctx, uint32_t il, uint32_t n_rows, float * keys) {
    return llama_retain::observing::keys(ctx, il, n_rows, keys);
}

bool llama_retain_value_norms(llama_context * ctx, uint32_t il, uint32_t n_rows, float * norms) {
    return llama_retain::observing::value_norms(ctx, il, n_rows, norms);
}
