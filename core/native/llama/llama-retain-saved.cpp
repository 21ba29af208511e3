// A finished context is written down and set up again

#include "llama-retain-impl.h"

#include <algorithm>

struct llama_retain::saving {
    static bool set_layer(llama_context * ctx, uint32_t il, const uint32_t * positions, const uint32_t * n_kept, uint32_t n_tokens,
            const uint8_t * data, size_t size, uint32_t n_stored, uint32_t n_cells) {
        auto & kv    = holder(ctx, il);
        auto & layer = layer_of(ctx, il);
        const bool small = &kv == sliding(ctx);
        if (n_cells > n_stored || (small && n_stored != kv.get_size())) {
            return false;
        }

        std::vector<kv_layer> fresh(1);
        if (!small) {
            std::vector<std::vector<uint32_t>> kept(kv.hparams.n_head_kv(il));
            if (!take_positions(positions, n_kept, n_tokens, kept)) {
                return false;
            }
            fresh = new_parts(il, std::move(kept));
        }
        fresh[0].il = il;

        size_t total = 0;
        for (const auto & kind : kinds) {
            for (const auto & part : fresh) {
                total += (part.n_prefix + n_stored)*ggml_row_size(kv.*kind.retain_type, width(layer, kind)/fresh.size());
            }
        }
        if (size != total) {
            return false;
        }
        const ggml_type types[] = { kv.retain_type_k, kv.retain_type_v };
        return replace(ctx, layer, fresh, types, small ? n_stored : n_cells, [&](const kind &, size_t p, ggml_tensor * to) {
            ggml_backend_tensor_set(to, data, 0, ggml_nbytes(to));
            data += (fresh[p].n_prefix + n_stored)*to->nb[1];
            return false;
        });
    }

    static bool set_cells(llama_context * ctx, uint32_t n_tokens, uint32_t n_cells, const int32_t * positions, uint32_t n_positions) {
        auto * small = sliding(ctx);
        if (n_positions != (small ? small->get_size() : 0) || !llama_retain_finish(ctx, n_tokens + n_cells, n_cells)) {
            return false;
        }
        if (!small) {
            return true;
        }
        const llama_pos end   = n_tokens + n_cells;
        const llama_pos begin = std::max<llama_pos>(0, end + 1 - (llama_pos) small->hparams.n_swa);
        std::vector<llama_pos> taken(positions, positions + n_positions);
        std::replace_if(taken.begin(), taken.end(), [&](llama_pos pos) { return pos >= end; }, -1);
        fill_cells(*small, n_positions, taken);
        const auto last = std::find(taken.begin(), taken.end(), end - 1);
        small->v_heads[0] = last == taken.end() ? 0 : (last - taken.begin() + 1)%n_positions;
        return std::count_if(taken.begin(), taken.end(), [&](llama_pos pos) { return pos >= begin; }) >= end - begin;
    }
};

uint32_t llama_retain_kept(const llama_context * ctx, uint32_t il, uint32_t head, uint32_t * positions) {
    const auto & kept = llama_retain::kept_of(llama_retain::layer_of(ctx, il), head);
    if (positions) {
        std::copy(kept.begin(), kept.end(), positions);
    }
    return kept.size();
}

size_t llama_retain_get_layer(llama_context * ctx, uint32_t il, uint32_t n_cells, uint8_t * data) {
    ctx->synchronize();
    const auto & layer = llama_retain::layer_of(ctx, il);
    size_t total = 0;
    for (const auto & kind : llama_retain::kinds) {
        for (const auto * part : llama_retain::parts(layer)) {
            const auto * t = part->*kind.t;
            const size_t size = (part->n_prefix - part->n_pad + n_cells)*t->nb[1];
            if (data) {
                ggml_backend_tensor_get(t, data + total, part->n_pad*t->nb[1], size);
            }
            total += size;
        }
    }
    return total;
}

uint32_t llama_retain_get_cells(const llama_context * ctx, bool sliding, int32_t * positions) {
    const auto * kv = sliding ? llama_retain::sliding(ctx) : &llama_retain::cache(ctx);
    if (kv && positions) {
        const auto all = llama_retain::positions_of(*kv);
        std::copy(all.begin(), all.end(), positions);
    }
    return kv ? kv->get_size() : 0;
}

bool llama_retain_set_layer(llama_context * ctx, uint32_t il, const uint32_t * positions, const uint32_t * n_kept, uint32_t n_tokens,
        const uint8_t * data, size_t size, uint32_t n_stored, uint32_t n_cells) {
    return llama_retain::saving::set_layer(ctx, il, positions, n_kept, n_tokens, data, size, n_stored, n_cells);
}

bool llama_retain_set_cells(llama_context * ctx, uint32_t n_tokens, uint32_t n_cells, const int32_t * sliding, uint32_t n_sliding) {
    return llama_retain::saving::set_cells(ctx, n_tokens, n_cells, sliding, n_sliding);
}
