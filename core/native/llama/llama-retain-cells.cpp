// The cells behind the retained rows, which all layers share

#include "llama-retain-impl.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <future>
#include <numeric>
#include <utility>

void llama_retain::reset_cells(llama_kv_cache & kv, uint32_t n_cells) {
    llama_kv_cells fresh;
    if (kv.retain_cells.valid() && kv.retain_cells.wait_for(std::chrono::seconds(0)) == std::future_status::ready) {
        fresh = kv.retain_cells.get();
    }
    if (fresh.size() != n_cells) {
        fresh.resize(n_cells);
    }
    std::swap(kv.v_cells[0], fresh);
    kv.retain_spent = std::move(fresh);
    kv.v_heads[0] = 0;
    kv.retain_fixed = false;
    // on a device the group has only begun, and the host has no time to lose: llama_retain_observe does it later
    if (step(kv) == 1) {
        renew_cells(kv);
    }
}

void llama_retain::renew_cells(llama_kv_cache & kv) {
    if (kv.retain_spent.size() == 0 || kv.retain_cells.valid()) {
        return;
    }
    kv.retain_cells = std::async(std::launch::async, [spent = std::exchange(kv.retain_spent, {}), n_cells = kv.get_size()]() mutable {
        spent = llama_kv_cells();
        spent.resize(n_cells);
        return std::move(spent);
    });
}

std::vector<llama_pos> llama_retain::positions_of(const llama_kv_cache & kv) {
    const auto & cells = kv.v_cells[0];
    std::vector<llama_pos> positions(cells.size());
    for (uint32_t i = 0; i < cells.size(); ++i) {
        positions[i] = cells.is_empty(i) ? -1 : cells.pos_get(i);
    }
    return positions;
}

void llama_retain::fill_cells(llama_kv_cache & kv, uint32_t n_cells, const std::vector<llama_pos> & positions) {
    reset_cells(kv, n_cells);
    auto & cells = kv.v_cells[0];
    for (uint32_t i = 0; i < positions.size(); ++i) {
        if (positions[i] >= 0) {
            cells.pos_set(i, positions[i]);
            cells.seq_add(i, 0);
        }
    }
    kv.v_heads[0] = positions.size();
}

void llama_retain::fill_cells(llama_kv_cache & kv, uint32_t n_cells, uint32_t first, uint32_t n) {
    std::vector<llama_pos> positions(n);
    std::iota(positions.begin(), positions.end(), first);
    fill_cells(kv, n_cells, positions);
}

void llama_retain::changed(llama_context * ctx, uint32_t il_begin, uint32_t il_end) {
    auto & kv = cache(ctx);
    kv.retain_begin = ctx->cparams.retain_begin = il_begin;
    kv.retain_end   = ctx->cparams.retain_end   = il_end;
    ctx->cparams.retain_gen++;
}

bool llama_retain::occupy(llama_context * ctx, uint32_t n_cells, uint32_t first, uint32_t n) {
    auto & kv = cache(ctx);
    for (const auto & layer : kv.layers) {
        if (is_empty(layer) || is_staged(layer)) {
            return false;
        }
    }
    fill_cells(kv, n_cells, first, n);
    changed(ctx, 0, ctx->model.hparams.n_layer());
    return true;
}

// n_rows rows that follow each other in both
static void copy_rows(ggml_tensor * src, uint32_t src_row, ggml_tensor * dst, uint32_t dst_row, uint32_t n_rows) {
    ggml_init_params params = { 2*ggml_tensor_overhead(), nullptr, true };
    ggml_context_ptr tensors(ggml_init(params));
    ggml_tensor * from = ggml_view_2d(tensors.get(), src, src->ne[0], n_rows, src->nb[1], src_row*src->nb[1]);
    ggml_tensor * to   = ggml_view_2d(tensors.get(), dst, dst->ne[0], n_rows, dst->nb[1], dst_row*dst->nb[1]);
    ggml_backend_view_init(from);
    ggml_backend_view_init(to);
    ggml_backend_tensor_copy(from, to);
}

struct llama_retain::reserving {
    // what masks the rows that hold nothing. false: no memory
    static bool alloc_pads(llama_kv_cache & kv, uint32_t n_columns) {
        std::vector<const kv_layer *> all;
        bool padded = false;
        for (const auto & layer : kv.layers) {
            for (const auto * part : parts(layer)) {
                const_cast<kv_layer *>(part)->pads_row = all.size();
                all.push_back(part);
                padded = padded || part->n_pad > 0;
            }
        }
        kv.retain_pads = nullptr;
        if (!padded) {
            return true;
        }
        ggml_init_params params = { ggml_tensor_overhead(), nullptr, true };
        kv.retain_pads_ctx.reset(ggml_init(params));
        ggml_tensor * pads = ggml_new_tensor_2d(kv.retain_pads_ctx.get(), GGML_TYPE_F16, n_columns, all.size());
        kv.retain_pads_buf.reset(ggml_backend_alloc_ctx_tensors_from_buft(kv.retain_pads_ctx.get(),
                    ggml_backend_buffer_get_type(all[0]->k->buffer)));
        if (!kv.retain_pads_buf) {
            return false;
        }
        std::vector<ggml_fp16_t> masks(ggml_nelements(pads), ggml_fp32_to_fp16(0.0f));
        for (const auto * part : all) {
            const auto row = masks.begin() + part->pads_row*n_columns + (n_columns - part->k->ne[1]);
            std::fill(row, row + part->n_pad, ggml_fp32_to_fp16(-INFINITY));
        }
        ggml_backend_tensor_set(pads, masks.data(), 0, ggml_nbytes(pads));
        kv.retain_pads = pads;
        return true;
    }

    static bool reserve(llama_context * ctx, uint32_t n_cells) {
        auto & kv = cache(ctx);
        ctx->synchronize();
        ctx->retain_blocks.clear(); // what lies there goes at once
        const uint32_t n_used = kv.v_cells[0].used_max_p1();
        const uint32_t n_prefix = kv.get_n_prefix_max();
        const uint32_t n_step = step(kv);
        n_cells = GGML_PAD(n_prefix + std::max(n_cells, n_used), n_step) - n_prefix;

        for (auto & layer : kv.layers) {
            const auto old = parts(layer);
            std::vector<kv_layer> fresh(old.size());
            for (size_t p = 0; p < old.size(); ++p) {
                // what keeps less is to have such a multiple too
                const uint32_t shift = (n_prefix - old[p]->n_prefix)%n_step;
                fresh[p].il       = layer.il;
                fresh[p].n_prefix = old[p]->n_prefix + shift;
                fresh[p].n_pad    = old[p]->n_pad + shift;
                fresh[p].kept     = old[p]->kept;
            }
            const ggml_type types[] = { layer.k->type, layer.v->type };
            if (is_empty(layer) || !replace(ctx, layer, fresh, types, n_cells, [&](const kind & kind, size_t p, ggml_tensor * to) {
                        copy_rows(old[p]->*kind.t, old[p]->n_pad, to, fresh[p].n_pad, old[p]->n_prefix - old[p]->n_pad + n_used);
                        return false;
                    })) {
                return false;
            }
        }

        ctx->retain_blocks.clear();
        auto positions = positions_of(kv);
        positions.resize(n_used);
        fill_cells(kv, n_cells, positions);
        kv.retain_fixed = n_step > 1;
        if (!alloc_pads(kv, n_prefix + n_cells)) {
            return false;
        }
        ctx->cparams.retain_gen++;
        return true;
    }
};

bool llama_retain_reserve(llama_context * ctx, uint32_t n_cells) {
    return llama_retain::reserving::reserve(ctx, n_cells);
}

uint32_t llama_retain_n_cells(const llama_context * ctx) {
    return llama_retain::cache(ctx).get_size();
}
