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

int64_t llama_retain_heads_at_once(int64_t n_kv, int64_t n_gqa, int64_t n_head_kv, bool on_host) {
    const int64_t n_rows  = llama_retain_rows_at_once(n_kv, n_gqa, on_host);
    const int64_t n_most  = std::clamp<int64_t>((1 << (on_host ? 19 : 22))/(n_kv*n_rows*n_gqa), 1, n_head_kv);
    const int64_t n_parts = (n_head_kv + n_most - 1)/n_most;
    return (n_head_kv + n_parts - 1)/n_parts;
}

uint32_t llama_retain_max_nodes(const llama_model & model, const llama_cparams & cparams) {
    const auto & hparams = model.hparams;
    int64_t n_head_kv = 0, n_gqa = 1;
    bool    on_host   = !cparams.offload_kqv;
    for (uint32_t il = 0; il < hparams.n_layer(); ++il) {
        n_head_kv = std::max<int64_t>(n_head_kv, hparams.n_head_kv(il));
        n_gqa     = std::max<int64_t>(n_gqa, hparams.n_head(il)/std::max(1u, hparams.n_head_kv(il)));
        on_host   = on_host || ggml_backend_dev_type(model.dev_layer(il)) == GGML_BACKEND_DEVICE_TYPE_CPU;
    }
    // of the KV heads that go together: 15 for as many queries as do, and 17 to add them up for each of three sums, of parts of two
    // sizes; that again where the mask is in parts, of 128 queries at least. Heads that are stored apart, of which nothing is summed
    // up, have 24 each. Room is not free: what a graph could need of it is zeroed when a context is made
    const int64_t n_rows   = cparams.retain_most_rows;
    const int64_t n_kv     = GGML_PAD(cparams.n_ctx, 256);
    const int64_t n_parts  = n_rows/llama_retain_rows_at_once(n_kv, n_gqa, on_host) + 2;
    const int64_t n_chunks = n_head_kv/llama_retain_heads_at_once(n_kv, n_gqa, n_head_kv, on_host) + 1;
    const int64_t n_each   = 15*n_parts + 104*(n_rows/128 + 1);
    return std::max(24*n_head_kv*hparams.n_layer(), n_chunks*n_each*cparams.retain_most_layers);
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
        if (!place(ctx, what, cparams.retain_begin, end)) {
            forget(ctx);
            return false;
        }
        return lay_out(ctx);
    }

    static void forget(llama_context * ctx) {
        ctx->synchronize();
        ctx->retain_expecting.reset();
        const bool last = ctx->retain_made && ctx->retain_made->last;
        ctx->retain_made.reset();
        if (last) {
            llama_retain_hold(ctx, GGML_TYPE_F16, 0);
        }
        ctx->retain_scratch = {};
        ctx->retain_lay_out = 0;
        ctx->cparams.retain_what = 0;
        ctx->cparams.retain_rows = 0;
        ctx->retain_attention.clear();
        ctx->retain_queries.clear();
        ctx->retain_sums.clear();
    }

    // what is to be summed up and has no place yet, where each layer's keys lie: zeros. false: no memory
    static bool place(llama_context * ctx, uint32_t what, uint32_t begin, uint32_t end) {
        const auto & hparams = ctx->model.hparams;
        std::map<ggml_backend_buffer_type_t, ggml_context_ptr> fresh;
        for (uint32_t il = begin; il < end; ++il) {
            if (!cache(ctx).map_layer_ids.count(il)) {
                continue;
            }
            auto & tensors = fresh[ggml_backend_buffer_get_type(layer_of(ctx, il).k->buffer)];
            const auto add = [&](ggml_tensor *& t, int64_t ne0, int64_t ne1, int64_t ne2) {
                if (!tensors && !t) {
                    ggml_init_params params = { 5*(end - begin)*ggml_tensor_overhead(), nullptr, true };
                    tensors.reset(ggml_init(params));
                }
                t = t ? t : ggml_new_tensor_3d(tensors.get(), GGML_TYPE_F32, ne0, ne1, ne2);
            };
            for (const uint32_t of : { LLAMA_RETAIN_SUMS, LLAMA_RETAIN_SQUARES, LLAMA_RETAIN_ENTROPY }) {
                if (what & of) {
                    add(ctx->retain_attention[il].sums[of], cache(ctx).get_size(), hparams.n_head(il), 1);
                }
            }
            if (what & LLAMA_RETAIN_QUERIES) {
                const int64_t n_embd = hparams.n_embd_head_k(il);
                add(ctx->retain_queries[il].sum,      1,      n_embd, hparams.n_head(il));
                add(ctx->retain_queries[il].products, n_embd, n_embd, hparams.n_head(il));
            }
        }
        for (auto & [buft, tensors] : fresh) {
            if (!tensors) {
                continue;
            }
            ggml_backend_buffer_ptr buffer(ggml_backend_alloc_ctx_tensors_from_buft(tensors.get(), buft));
            if (!buffer) {
                return false;
            }
            ggml_backend_buffer_clear(buffer.get(), 0);
            ctx->retain_sums.push_back({ std::move(tensors), std::move(buffer) });
            ++ctx->cparams.retain_gen; // a graph that adds to others is not to be used again
        }
        return true;
    }

    static const float * observed(llama_context * ctx, uint32_t il, uint32_t what, uint32_t * n_kv) {
        if (!ctx->retain_made) {
            ctx->synchronize();
        }
        const auto layer = ctx->retain_attention.find(il);
        if (layer == ctx->retain_attention.end() || !layer->second.sums.count(what)) {
            return nullptr;
        }
        const ggml_tensor * t = layer->second.sums.at(what);
        *n_kv = t->ne[0];
        if (const auto * ready = fetched(ctx, t)) {
            return ready;
        }
        auto * values = read_buffer(ctx, ggml_backend_buffer_get_type(t->buffer), ggml_nbytes(t));
        if (!values) {
            return nullptr;
        }
        ggml_backend_tensor_get(t, values, 0, ggml_nbytes(t));
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
        const auto * t = staging(ctx, il, true, n_rows);
        if (!t) {
            return false;
        }
        if (!made_of(ctx, t, n_rows)) {
            ctx->synchronize();
        }
        const int64_t n_head = ctx->model.hparams.n_head_kv(il);
        return by_parts(ctx, t, n_rows, t->ne[0], n_head, [&](ggml_context * c, ggml_cgraph *, ggml_tensor * v) {
            v = ggml_cast(c, v, GGML_TYPE_F32);
            v = ggml_mul_inplace(c, v, v);
            v = ggml_sum_rows(c, ggml_reshape_3d(c, v, v->ne[0]/n_head, n_head, v->ne[1]));
            return ggml_sqrt(c, ggml_cont(c, ggml_transpose(c, ggml_reshape_2d(c, v, n_head, v->ne[2])))); // [rows, n_head]
        }, norms);
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
