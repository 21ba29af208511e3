// A document is read, group of layers by group of layers

#include "llama-retain-impl.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

bool llama_retain::lay_out(llama_context * ctx) {
    const uint32_t n_cells = std::exchange(ctx->retain_lay_out, 0);
    if (n_cells == 0) {
        return true;
    }
    auto & cparams = ctx->cparams;
    const uint32_t n_tokens = std::min(n_cells, cparams.n_ubatch);
    const uint32_t n_rows   = std::exchange(cparams.retain_rows, 0);
    const auto full = ctx->memory->init_full();
    cparams.retain_first = n_cells - n_tokens;
    const bool fits = ctx->graph_reserve(n_tokens, 1, 1, full.get()) != nullptr;
    cparams.retain_first = -1;
    cparams.retain_rows  = n_rows;
    return fits;
}

struct llama_retain::reading {
    // Elements that a mask may always have, and of how many queries it is at least. Where that is not the whole batch, attention
    // takes the batch in parts: on a device that changes little, on the host how it is split and rounded.
    static constexpr int64_t n_mask      = 32 << 20;
    static constexpr int64_t n_mask_rows = 256;

    static bool hold_mask(llama_retain_reading & reading, ggml_backend_buffer_type_t buft, int64_t n_elements) {
        reading.mask_buffer.reset();
        ggml_init_params params = { ggml_tensor_overhead(), nullptr, true };
        reading.mask_tensors.reset(ggml_init(params));
        reading.mask = ggml_new_tensor_1d(reading.mask_tensors.get(), GGML_TYPE_F16, n_elements);
        reading.mask_buffer.reset(ggml_backend_alloc_ctx_tensors_from_buft(reading.mask_tensors.get(), buft));
        if (reading.mask_buffer) {
            ggml_backend_buffer_clear(reading.mask_buffer.get(), 0);
        }
        reading.last = {};
        return reading.mask_buffer != nullptr;
    }

    static bool spare_mask(llama_context * ctx) {
        auto * reading = ctx->retain_reading.get();
        if (!reading || ctx->cparams.retain_end + 1 != ctx->model.hparams.n_layer()) {
            return true;
        }
        const int64_t n_rows  = reading->cells->ne[0];
        const int64_t n_fewer = n_rows*n_mask_rows/2;
        const int64_t n_now   = ggml_nelements(reading->mask);
        const bool in_parts = n_now < n_rows*ctx->cparams.n_ubatch;
        return !in_parts || n_now <= n_fewer || hold_mask(*reading, ggml_backend_buffer_get_type(reading->mask_buffer.get()), n_fewer);
    }

    static void let_go(llama_context * ctx) {
        ctx->synchronize();
        ctx->cparams.retain_reading = nullptr;
        ctx->retain_reading.reset();
    }

    // where the first layer lies, or in the host's memory. nullptr: no memory
    static const llama_retain_reading * hold(llama_context * ctx, ggml_type type, uint32_t n_tokens, bool in_groups) {
        ctx->retain_passed.clear();
        // a graph that is reserved has as many tokens as a batch can; the mask's edge is as wide as a batch, padded
        const int64_t n_batch = ctx->cparams.n_ubatch;
        const int64_t n_rows  = GGML_PAD(std::max<int64_t>(n_tokens, n_batch), int64_t(step(cache(ctx))));
        const int64_t n_edge  = n_batch + 258;

        auto reading = std::make_unique<llama_retain_reading>();
        for (auto * buft : { ggml_backend_buffer_get_type(layer_of(ctx, 0).k->buffer), ggml_backend_cpu_buffer_type() }) {
            ggml_init_params params = { 6*ggml_tensor_overhead(), nullptr, true };
            reading->tensors.reset(ggml_init(params));
            auto * tensors = reading->tensors.get();
            reading->hidden = in_groups ? ggml_new_tensor_2d(tensors, type, ctx->model.hparams.n_embd, n_rows) : nullptr;
            reading->edge   = ggml_new_tensor_2d(tensors, GGML_TYPE_F16, n_edge, n_batch);
            reading->zero   = ggml_new_tensor_2d(tensors, GGML_TYPE_F16, n_edge, n_batch);
            reading->pos    = ggml_new_tensor_1d(tensors, GGML_TYPE_I32, n_rows);
            reading->cells  = ggml_new_tensor_1d(tensors, GGML_TYPE_I64, n_rows);
            reading->rows   = ggml_new_tensor_1d(tensors, GGML_TYPE_I32, n_batch);
            reading->buffer.reset(ggml_backend_alloc_ctx_tensors_from_buft(tensors, buft));
            const bool on_host = ggml_backend_buft_is_host(buft);
            const int64_t n_mask_most = std::min(n_batch, std::max(n_mask_rows, n_mask/n_rows));
            if (reading->buffer && hold_mask(*reading, buft, n_rows*(on_host ? n_batch : n_mask_most))) {
                break;
            }
        }
        if (!reading->buffer || !reading->mask_buffer) {
            return nullptr;
        }
        ggml_backend_buffer_clear(reading->buffer.get(), 0);
        std::vector<ggml_fp16_t> edge(n_edge*n_batch, ggml_fp32_to_fp16(0.0f));
        for (int64_t i = 0; i < n_batch; ++i) {
            std::fill(edge.begin() + i*n_edge + i + 1, edge.begin() + (i + 1)*n_edge, ggml_fp32_to_fp16(-INFINITY));
        }
        ggml_backend_tensor_set(reading->edge, edge.data(), 0, ggml_nbytes(reading->edge));
        std::vector<int32_t> pos(n_rows);
        std::vector<int64_t> cells(n_rows);
        std::iota(pos.begin(), pos.end(), 0);
        std::iota(cells.begin(), cells.end(), 0);
        ggml_backend_tensor_set(reading->rows,  pos.data(),   0, ggml_nbytes(reading->rows));
        ggml_backend_tensor_set(reading->pos,   pos.data(),   0, ggml_nbytes(reading->pos));
        ggml_backend_tensor_set(reading->cells, cells.data(), 0, ggml_nbytes(reading->cells));
        hold_embd(ctx, *reading, ggml_backend_buffer_get_type(reading->buffer.get()));
        ctx->retain_reading = std::move(reading);
        ctx->cparams.retain_reading = ctx->retain_reading.get();
        return ctx->retain_reading.get();
    }

    static size_t hold_between(llama_context * ctx, ggml_type type, uint32_t n_tokens) {
        if (n_tokens == 0 && ctx->retain_made) {
            ctx->retain_made->last = true; // to give memory back is to wait for the device: llama_retain_forget does
            return 0;
        }
        let_go(ctx);
        const auto * reading = n_tokens > 0 ? hold(ctx, type, n_tokens, true) : nullptr;
        return reading ? ggml_nbytes(reading->hidden) : 0;
    }

    // the row of the group's staging and hidden states that is this position's; -1: it was not passed on
    static int32_t row_of(const llama_context * ctx, uint32_t position) {
        const auto & passed = ctx->retain_passed;
        if (passed.empty()) {
            return position;
        }
        const auto it = std::lower_bound(passed.begin(), passed.end(), position);
        return it != passed.end() && *it == position ? it - passed.begin() : -1;
    }

    static bool pass(llama_context * ctx, const uint32_t * positions, uint32_t n) {
        ctx->synchronize();
        auto * reading = ctx->retain_reading.get();
        if (!reading || !reading->hidden || n == 0) {
            return false;
        }
        std::vector<int32_t> rows(n);
        for (uint32_t i = 0; i < n; ++i) {
            rows[i] = row_of(ctx, positions[i]);
            if (rows[i] < 0 || rows[i] >= reading->hidden->ne[1] || (i > 0 && positions[i] <= positions[i - 1])) {
                return false;
            }
        }
        ctx->retain_spare.clear(); // later layers have fewer rows
        // in place: a row never moves back, so none is written before it is read
        const heads hidden = { reading->hidden, 0, uint32_t(reading->hidden->ne[0]) };
        gather(ctx, hidden, hidden, 1, &rows);
        const std::vector<int32_t> pos(positions, positions + n);
        ggml_backend_tensor_set(reading->pos, pos.data(), 0, n*sizeof(int32_t));
        ctx->retain_passed.assign(positions, positions + n);
        return true;
    }

    static bool begin(llama_context * ctx, uint32_t il_begin, uint32_t il_end, uint32_t n_cells, bool plain) {
        auto & full  = cache(ctx);
        auto * small = sliding(ctx);
        const uint32_t n_small = small ? small->get_size() : 0;
        n_cells = GGML_PAD(n_cells, step(full));
        llama_retain_forget(ctx);
        if (ctx->retain_reading && il_begin > 0) {
            ctx->retain_reading->embd.reset();
        }
        for (uint32_t il = il_begin; il < il_end; ++il) {
            auto & kv = holder(ctx, il);
            const bool is_small = &kv == small;
            if (!renew(ctx, kv, layer_of(ctx, il), !plain && !is_small, is_small ? n_small : n_cells)) {
                return false;
            }
        }
        reset_cells(full, n_cells);
        if (small) {
            reset_cells(*small, n_small);
        }
        changed(ctx, il_begin, il_end);
        count(ctx);
        // one group of all layers leaves nothing to another; but a device that is to read it needs no input either
        if (!plain && !ctx->retain_reading && il_begin == 0 && il_end == ctx->model.hparams.n_layer() &&
                !ggml_backend_buffer_is_host(layer_of(ctx, 0).k->buffer) && !hold(ctx, GGML_TYPE_F16, n_cells, false)) {
            return false;
        }
        ctx->retain_lay_out = n_cells;
        // on a device what is observed is part of it, which llama_retain_observe says
        return step(full) > 1 || lay_out(ctx);
    }

    static llama_retain_outcome keep(llama_context * ctx, uint32_t il, const uint32_t * positions, const uint32_t * n_keep, uint32_t n_tokens, uint32_t n_window) {
        auto & kv = cache(ctx);
        ctx->synchronize();
        const auto id = kv.map_layer_ids.find(il);
        if (id == kv.map_layer_ids.end() || n_window > n_tokens || is_empty(kv.layers[id->second])) {
            return LLAMA_RETAIN_NOT_HELD;
        }
        auto & layer = kv.layers[id->second];
        const uint32_t n_head = kv.hparams.n_head_kv(il);
        const uint32_t first  = n_tokens - n_window;
        const bool     staged = is_staged(layer);

        // rows of the source, the window's last
        std::vector<std::vector<int32_t>>  rows(n_head);
        std::vector<std::vector<uint32_t>> kept(n_head);
        if (!take_positions(positions, n_keep, first, kept)) {
            return LLAMA_RETAIN_NOT_HELD;
        }
        for (uint32_t h = 0; h < n_head; ++h) {
            const auto & part = part_of(layer, h);
            const auto & held = kept_of(layer, h);
            for (const uint32_t p : kept[h]) {
                const auto it = std::lower_bound(held.begin(), held.end(), p);
                if (staged ? row_of(ctx, p) < 0 : it == held.end() || *it != p) {
                    return LLAMA_RETAIN_NOT_HELD;
                }
                rows[h].push_back(staged ? row_of(ctx, p) : part.n_pad + (it - held.begin()));
            }
            for (uint32_t i = 0; i < n_window; ++i) {
                const int32_t row = staged ? row_of(ctx, first + i) : part.n_prefix + i;
                if (row < 0) {
                    return LLAMA_RETAIN_NOT_HELD;
                }
                rows[h].push_back(row);
            }
        }

        const bool fits = spare_mask(ctx) && retain_rows(ctx, layer, layer, std::move(kept), rows, n_window);
        return fits ? LLAMA_RETAIN_KEPT : LLAMA_RETAIN_NO_MEMORY;
    }

    static bool finish(llama_context * ctx, uint32_t n_tokens, uint32_t n_window) {
        if (!occupy(ctx, n_window, n_tokens - n_window, n_window)) {
            return false;
        }
        renew_cells(cache(ctx));
        llama_retain_forget(ctx);
        let_go(ctx);
        ctx->retain_blocks.clear();
        ctx->retain_spare.clear();
        ctx->retain_read_buf.reset();
        ctx->retain_fetch_buf.reset();
        return true;
    }
};

bool llama_retain::spare_mask(llama_context * ctx) {
    return reading::spare_mask(ctx);
}

size_t llama_retain_hold(llama_context * ctx, ggml_type type, uint32_t n_tokens) {
    return llama_retain::reading::hold_between(ctx, type, n_tokens);
}

bool llama_retain_pass(llama_context * ctx, const uint32_t * positions, uint32_t n) {
    return llama_retain::reading::pass(ctx, positions, n);
}

bool llama_retain_begin(llama_context * ctx, uint32_t il_begin, uint32_t il_end, uint32_t n_cells, bool plain) {
    return llama_retain::reading::begin(ctx, il_begin, il_end, n_cells, plain);
}

llama_retain_outcome llama_retain_keep(llama_context * ctx, uint32_t il, const uint32_t * positions, const uint32_t * n_keep, uint32_t n_tokens, uint32_t n_window) {
    return llama_retain::reading::keep(ctx, il, positions, n_keep, n_tokens, n_window);
}

bool llama_retain_finish(llama_context * ctx, uint32_t n_tokens, uint32_t n_window) {
    return llama_retain::reading::finish(ctx, n_tokens, n_window);
}
