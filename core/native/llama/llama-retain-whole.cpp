// The whole cache of a document beside the compressed one, in memory that is lent

#include "llama-retain-impl.h"

#include "ggml-cpu.h"

struct llama_retain::lending {
    static size_t lent_bytes(const kv_layer & layer, const kind & kind, uint32_t n_cells) {
        return GGML_PAD(ggml_row_size(GGML_TYPE_F16, width(layer, kind))*n_cells, LLAMA_RETAIN_LENT_ALIGN);
    }

    static size_t lend_size(const llama_context * whole, uint32_t n_cells) {
        size_t total = 0;
        for (const auto & layer : cache(whole).layers) {
            total += lent_bytes(layer, kinds[0], n_cells) + lent_bytes(layer, kinds[1], n_cells);
        }
        return total;
    }

    static bool lend(llama_context * whole, void * data, size_t size, uint32_t n_cells) {
        auto & kv    = cache(whole);
        auto * small = sliding(whole);
        if (size < lend_size(whole, n_cells) || uintptr_t(data)%ggml_backend_buft_get_alignment(ggml_backend_cpu_buffer_type()) != 0) {
            return false;
        }
        auto * next = (uint8_t *) data;
        for (auto & layer : kv.layers) {
            kv_layer fresh = {};
            fresh.il = layer.il;
            for (const auto & kind : kinds) {
                const size_t n_bytes = lent_bytes(layer, kind, n_cells);
                ggml_init_params params = { ggml_tensor_overhead(), nullptr, true };
                (fresh.*kind.own_ctx).reset(ggml_init(params), ggml_free);
                (fresh.*kind.own_buf).reset(ggml_backend_cpu_buffer_from_ptr(next, n_bytes), ggml_backend_buffer_free);
                ggml_tensor * t = ggml_new_tensor_3d((fresh.*kind.own_ctx).get(), GGML_TYPE_F16, width(layer, kind), n_cells, 1);
                ggml_set_name(t, (layer.*kind.t)->name);
                ggml_backend_tensor_alloc((fresh.*kind.own_buf).get(), t, next);
                fresh.*kind.t      = t;
                fresh.*kind.stream = { t };
                next += n_bytes;
            }
            layer = std::move(fresh);
        }
        for (size_t i = 0; small && i < small->layers.size(); ++i) {
            if (!renew(whole, *small, small->layers[i], false, small->get_size())) {
                return false;
            }
        }
        reset_cells(kv, n_cells);
        changed(whole, 0, whole->model.hparams.n_layer());
        return true;
    }

    static bool lent(llama_context * whole, llama_context * ctx, uint32_t n_tokens) {
        auto & kv    = cache(whole);
        auto * small = sliding(whole);
        if (n_tokens > kv.get_size() || (small && !ctx)) {
            return false;
        }
        fill_cells(kv, kv.get_size(), 0, n_tokens);
        if (small) {
            const auto * from = sliding(ctx);
            for (size_t i = 0; i < small->layers.size(); ++i) {
                for (const auto & kind : kinds) {
                    ggml_backend_tensor_copy(from->layers[i].*kind.t, small->layers[i].*kind.t);
                }
            }
            auto positions = positions_of(*from);
            positions.resize(small->get_size(), -1);
            fill_cells(*small, small->get_size(), positions);
            small->v_heads[0] = from->v_heads[0];
        }
        whole->cparams.retain_gen++;
        return true;
    }

    static llama_retain_outcome refill(llama_context * ctx, uint32_t il, const uint32_t * positions, const uint32_t * n_keep, llama_context * whole,
            uint32_t n_before, uint32_t n_past, uint32_t n_cells, const std::function<bool()> & holds) {
        auto & kv = cache(ctx);
        ctx->synchronize();
        whole->synchronize();
        const auto id = kv.map_layer_ids.find(il);
        if (id == kv.map_layer_ids.end() || !staging(whole, il, false, n_past) || n_past < n_before || n_past - n_before > n_cells) {
            return LLAMA_RETAIN_NOT_HELD;
        }
        const auto & full = cache(whole);
        const uint32_t n_head = kv.hparams.n_head_kv(il);
        std::vector<std::vector<int32_t>>  rows(n_head);
        std::vector<std::vector<uint32_t>> kept(n_head);
        if (!take_positions(positions, n_keep, n_before, kept)) {
            return LLAMA_RETAIN_NOT_HELD;
        }
        for (uint32_t h = 0; h < n_head; ++h) {
            rows[h].assign(kept[h].begin(), kept[h].end());
            for (uint32_t p = n_before; p < n_past; ++p) {
                rows[h].push_back(p);
            }
        }

        const auto & source = full.layers[full.map_layer_ids.at(il)];
        const bool fits = retain_rows(ctx, kv.layers[id->second], source, std::move(kept), rows, n_cells, holds);
        return fits ? LLAMA_RETAIN_KEPT : LLAMA_RETAIN_NO_MEMORY;
    }
};

size_t llama_retain_lend_size(const llama_context * whole, uint32_t n_cells) {
    return llama_retain::lending::lend_size(whole, n_cells);
}

bool llama_retain_lend(llama_context * whole, void * data, size_t size, uint32_t n_cells) {
    return llama_retain::lending::lend(whole, data, size, n_cells);
}

const void * llama_retain_lent_rows(llama_context * whole, uint32_t il, bool values, uint32_t n_rows, size_t * n_bytes) {
    const auto * t = llama_retain::staging(whole, il, values, n_rows);
    *n_bytes = t ? n_rows*t->nb[1] : 0;
    return t ? t->data : nullptr;
}

bool llama_retain_put(llama_context * ctx, uint32_t il, uint32_t n_rows, llama_context * whole) {
    ctx->synchronize();
    for (const bool values : { false, true }) {
        const auto * from = llama_retain::staging(ctx, il, values, n_rows);
        const auto * to   = llama_retain::staging(whole, il, values, n_rows);
        if (!from || !to) {
            return false;
        }
        ggml_backend_tensor_get(from, to->data, 0, n_rows*to->nb[1]);
    }
    return true;
}

bool llama_retain_lent(llama_context * whole, llama_context * ctx, uint32_t n_tokens) {
    return llama_retain::lending::lent(whole, ctx, n_tokens);
}

llama_retain_outcome llama_retain_refill(llama_context * ctx, uint32_t il, const uint32_t * positions, const uint32_t * n_keep, llama_context * whole,
        uint32_t n_before, uint32_t n_past, uint32_t n_cells, bool (*holds)(void *), void * data) {
    return llama_retain::lending::refill(ctx, il, positions, n_keep, whole, n_before, n_past, n_cells, [=] { return holds(data); });
}

bool llama_retain_refilled(llama_context * ctx, uint32_t n_before, uint32_t n_past, uint32_t n_cells) {
    if (!llama_retain::occupy(ctx, n_cells, n_before, n_past - n_before)) {
        return false;
    }
    // a device wants multiples, which llama_retain_reserve lays out
    return llama_retain::step(llama_retain::cache(ctx)) == 1 || llama_retain_reserve(ctx, n_cells);
}
