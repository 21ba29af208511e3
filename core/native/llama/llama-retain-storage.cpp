// K and V of a layer: what is stored, what it holds and how much it takes

#include "llama-retain-impl.h"

#include <algorithm>
#include <functional>
#include <iterator>

using kv_layer = llama_retain::kv_layer;

llama_kv_cache & llama_retain::cache(const llama_context * ctx) {
    auto * iswa = dynamic_cast<llama_kv_cache_iswa *>(ctx->memory.get());
    auto * kv   = iswa ? iswa->get_base() : dynamic_cast<llama_kv_cache *>(ctx->memory.get());
    GGML_ASSERT(kv && kv->retain && kv->n_stream == 1);
    return *kv;
}

llama_kv_cache * llama_retain::sliding(const llama_context * ctx) {
    auto * iswa = dynamic_cast<llama_kv_cache_iswa *>(ctx->memory.get());
    return iswa ? iswa->get_swa() : nullptr;
}

llama_kv_cache & llama_retain::holder(const llama_context * ctx, uint32_t il) {
    auto & kv = cache(ctx);
    return kv.map_layer_ids.count(il) ? kv : *sliding(ctx);
}

uint32_t llama_retain::step(const llama_kv_cache & kv) {
    const bool on_host = std::all_of(kv.layers.begin(), kv.layers.end(), [](const auto & layer) {
        return ggml_backend_buft_is_host(ggml_backend_buffer_get_type(layer.k->buffer));
    });
    return on_host ? 1 : 256;
}

kv_layer & llama_retain::layer_of(const llama_context * ctx, uint32_t il) {
    auto & kv = holder(ctx, il);
    return kv.layers[kv.map_layer_ids.at(il)];
}

std::vector<const kv_layer *> llama_retain::parts(const kv_layer & layer) {
    std::vector<const kv_layer *> out;
    if (layer.heads.empty()) {
        out.push_back(&layer);
    }
    for (const auto & head : layer.heads) {
        out.push_back(&head);
    }
    return out;
}

const kv_layer & llama_retain::part_of(const kv_layer & layer, uint32_t head) {
    return layer.heads.empty() ? layer : layer.heads[head];
}

const std::vector<uint32_t> & llama_retain::kept_of(const kv_layer & layer, uint32_t head) {
    static const std::vector<uint32_t> none;
    const auto & kept = part_of(layer, head).kept;
    return kept.empty() ? none : kept[layer.heads.empty() ? head : 0];
}

bool llama_retain::is_empty(const kv_layer & layer) {
    return !parts(layer)[0]->own_buf_v;
}

bool llama_retain::is_staged(const kv_layer & layer) {
    return !is_empty(layer) && parts(layer)[0]->kept.empty();
}

int64_t llama_retain::width(const kv_layer & layer, const kind & kind) {
    return (parts(layer)[0]->*kind.t)->ne[0]*parts(layer).size();
}

ggml_tensor * llama_retain::staging(const llama_context * ctx, uint32_t il, bool values, uint32_t n_rows) {
    const auto & kv = cache(ctx);
    const auto id = kv.map_layer_ids.find(il);
    if (id == kv.map_layer_ids.end()) {
        return nullptr;
    }
    const auto & layer = kv.layers[id->second];
    ggml_tensor * t = values ? layer.v : layer.k;
    return is_staged(layer) && t->type == GGML_TYPE_F16 && n_rows <= t->ne[1] ? t : nullptr;
}

void llama_retain::count(const llama_context * ctx, size_t beside) {
    size_t total = beside;
    for (uint32_t il = 0; il < ctx->model.hparams.n_layer(); ++il) {
        total += llama_retain_layer_bytes(ctx, il);
    }
    auto & kv = cache(ctx);
    kv.retain_peak = std::max(kv.retain_peak, total);
}

// What is no larger shares a device's memory with a few others: to take and to give back each by itself is 0.1 ms, and it is
// rounded up to 2 MiB
static constexpr size_t n_shared_most = 16 << 20;
static constexpr size_t n_sharing     = 8;

bool llama_retain::alloc(llama_context * ctx, const ggml_tensor * old, ggml_type type, int64_t n_embd, uint32_t n_rows, const kind & kind, kv_layer & out) {
    ggml_init_params params = { ggml_tensor_overhead(), nullptr, true };
    auto & own_ctx = out.*kind.own_ctx;
    auto & own_buf = out.*kind.own_buf;
    own_ctx.reset(ggml_init(params), ggml_free);

    ggml_tensor * fresh = ggml_new_tensor_3d(own_ctx.get(), type, n_embd, n_rows, 1);
    ggml_set_name(fresh, old->name);
    out.*kind.t      = fresh;
    out.*kind.stream = { fresh };

    auto * buft = ggml_backend_buffer_get_type(old->buffer);
    const size_t size = GGML_PAD(ggml_backend_buft_get_alloc_size(buft, fresh), ggml_backend_buft_get_alignment(buft));
    const bool shared = size <= n_shared_most && !ggml_backend_buft_is_host(buft);
    llama_retain_block own;
    auto & block = shared ? ctx->retain_blocks[{ buft, out.kept.empty() }] : own;
    if (!block.buffer || block.n_used + size > ggml_backend_buffer_get_size(block.buffer.get())) {
        block = {};
        block.buffer.reset(ggml_backend_buft_alloc_buffer(buft, shared ? n_sharing*size : size), ggml_backend_buffer_free);
        if (!block.buffer) {
            return false;
        }
        // cells that are not used yet are masked, but must not be NaN
        ggml_backend_buffer_clear(block.buffer.get(), 0);
    }
    own_buf = block.buffer;
    ggml_backend_tensor_alloc(own_buf.get(), fresh, (char *) ggml_backend_buffer_get_base(own_buf.get()) + block.n_used);
    block.n_used += size;
    return true;
}

bool llama_retain::spare(llama_context * ctx, const kv_layer & layer, const kind & kind) {
    const auto & buf = layer.*kind.own_buf;
    const size_t n_left = ctx->model.hparams.n_layer() - ctx->cparams.retain_end;
    if (!buf || !layer.kept.empty() || ggml_backend_buffer_is_host(buf.get()) || ctx->retain_spare.size() >= 2*n_left) {
        return false;
    }
    ctx->retain_spare.push_back({ layer.*kind.own_ctx, buf, layer.*kind.t });
    return true;
}

bool llama_retain::take_spare(llama_context * ctx, const ggml_tensor * old, ggml_type type, int64_t n_embd, uint32_t n_rows, const kind & kind, kv_layer & out) {
    auto & all = ctx->retain_spare;
    const auto it = std::find_if(all.begin(), all.end(), [&](const auto & spare) {
        return spare.t->type == type && spare.t->ne[0] == n_embd && spare.t->ne[1] == n_rows &&
            ggml_backend_buffer_get_type(spare.buf.get()) == ggml_backend_buffer_get_type(old->buffer);
    });
    if (it == all.end()) {
        return false;
    }
    out.*kind.own_ctx = it->ctx;
    out.*kind.own_buf = it->buf;
    out.*kind.t       = it->t;
    out.*kind.stream  = { it->t };
    ggml_set_name(it->t, old->name);
    all.erase(it);
    return true;
}

bool llama_retain::renew(llama_context * ctx, const llama_kv_cache & kv, kv_layer & layer, bool exact, uint32_t n_rows) {
    kv_layer fresh = {};
    fresh.il = layer.il;
    for (const auto & kind : kinds) {
        const ggml_type type = exact ? GGML_TYPE_F16 : kv.*kind.retain_type;
        if (!take_spare(ctx, layer.*kind.t, type, width(layer, kind), n_rows, kind, fresh) && !alloc(ctx, layer.*kind.t, type, width(layer, kind), n_rows, kind, fresh)) {
            return false;
        }
    }
    layer = std::move(fresh);
    return true;
}

static void set_parts(kv_layer & layer, std::vector<kv_layer> fresh) {
    if (fresh.size() == 1) {
        layer = kv_layer(std::move(fresh[0]));
        return;
    }
    kv_layer whole = {};
    whole.il = layer.il;
    whole.k  = fresh[0].k;
    whole.v  = fresh[0].v;
    whole.k_stream = fresh[0].k_stream;
    whole.v_stream = fresh[0].v_stream;
    whole.heads = std::move(fresh);
    layer = std::move(whole);
}

bool llama_retain::replace(llama_context * ctx, kv_layer & layer, std::vector<kv_layer> fresh, const ggml_type (&types)[2], uint32_t n_cells,
        const std::function<bool(const kind &, size_t, ggml_tensor *)> & copy, const std::function<bool()> & holds) {
    size_t beside = 0;
    for (size_t i = 0; i < std::size(kinds); ++i) {
        const auto & kind = kinds[i];
        const int64_t n_embd = width(layer, kind)/fresh.size();
        for (auto & part : fresh) {
            if (!alloc(ctx, layer.*kind.t, types[i], n_embd, part.n_prefix + n_cells, kind, part)) {
                return false;
            }
            beside += ggml_nbytes(part.*kind.t);
        }
        count(ctx, beside);
        bool under_way = false;
        for (size_t p = 0; p < fresh.size(); ++p) {
            under_way = copy(kind, p, fresh[p].*kind.t) || under_way;
        }
        for (auto * part : parts(layer)) {
            if (!holds) {
                if (!spare(ctx, *part, kind) && under_way) {
                    ctx->synchronize();
                }
                const_cast<kv_layer *>(part)->*kind.own_buf = nullptr;
            }
        }
    }
    if (holds && !holds()) {
        return false;
    }
    set_parts(layer, std::move(fresh));
    return true;
}

std::vector<kv_layer> llama_retain::new_parts(uint32_t il, std::vector<std::vector<uint32_t>> kept) {
    const bool together = std::all_of(kept.begin(), kept.end(), [&](const auto & head) { return head.size() == kept[0].size(); });
    std::vector<kv_layer> fresh(together ? 1 : kept.size());
    for (size_t p = 0; p < fresh.size(); ++p) {
        fresh[p].il       = il;
        fresh[p].n_prefix = kept[p].size();
        if (together) {
            fresh[p].kept = std::move(kept);
        } else {
            fresh[p].kept = { std::move(kept[p]) };
        }
    }
    return fresh;
}

bool llama_retain::take_positions(const uint32_t * positions, const uint32_t * n_keep, uint32_t end, std::vector<std::vector<uint32_t>> & kept) {
    for (size_t h = 0; h < kept.size(); ++h) {
        kept[h].assign(positions, positions + n_keep[h]);
        positions += n_keep[h];
        const bool ascends = std::adjacent_find(kept[h].begin(), kept[h].end(), std::greater_equal<uint32_t>()) == kept[h].end();
        if (!ascends || (!kept[h].empty() && kept[h].back() >= end)) {
            return false;
        }
    }
    return true;
}

bool llama_retain::retain_rows(llama_context * ctx, kv_layer & layer, const kv_layer & source, std::vector<std::vector<uint32_t>> kept,
        const std::vector<std::vector<int32_t>> & rows, uint32_t n_cells, const std::function<bool()> & holds) {
    const auto & kv = cache(ctx);
    auto fresh = new_parts(layer.il, std::move(kept));
    const uint32_t n_head   = rows.size();
    const bool     together = fresh.size() == 1;
    const ggml_type types[] = { kv.retain_type_k, kv.retain_type_v };

    // the rows of all heads, once for K and V, where a device gathers them. It has come to rest
    std::vector<int32_t> all;
    std::vector<size_t>  first; // of each head
    for (const auto & head : rows) {
        first.push_back(all.size());
        all.insert(all.end(), head.begin(), head.end());
    }
    ggml_init_params params = { ggml_tensor_overhead(), nullptr, true };
    ggml_context_ptr tensors(ggml_init(params));
    ggml_tensor * ids = ggml_new_tensor_1d(tensors.get(), GGML_TYPE_I32, all.size());
    auto * buft = ggml_backend_buffer_get_type(layer.k->buffer);
    const bool there = !ggml_backend_buft_is_host(buft) && ggml_backend_buffer_get_type(part_of(source, 0).k->buffer) == buft && place_inputs(ctx, tensors.get(), buft);
    if (there) {
        ggml_backend_tensor_set(ids, all.data(), 0, ggml_nbytes(ids));
    }

    const bool fits = replace(ctx, layer, std::move(fresh), types, n_cells, [&](const kind & kind, size_t p, ggml_tensor * to) {
        bool under_way = false;
        const uint32_t n_embd = width(layer, kind)/n_head;
        // as many heads at a time as stand side by side in both
        const uint32_t n = together && source.heads.empty() ? n_head : 1;
        const uint32_t last = together ? n_head : p + 1;
        for (uint32_t h = together ? 0 : p; h < last; h += n) {
            const heads from = { part_of(source, h).*kind.t, source.heads.empty() ? h : 0, n_embd };
            under_way = gather(ctx, from, { to, together ? h : 0, n_embd }, n, &rows[h], there ? ids : nullptr, first[h]) || under_way;
        }
        return under_way;
    }, holds);
    ctx->cparams.retain_gen++;
    return fits;
}

struct llama_retain::measuring {
    static size_t peak(const llama_context * ctx) {
        return cache(ctx).retain_peak;
    }

    static size_t compute_bytes(const llama_context * ctx) {
        size_t total = 0;
        for (const auto & backend : ctx->backends) {
            total += ggml_backend_sched_get_buffer_size(ctx->sched.get(), backend.get());
        }
        if (const auto & reading = ctx->retain_reading) {
            total += ggml_backend_buffer_get_size(reading->buffer.get()) - (reading->hidden ? ggml_nbytes(reading->hidden) : 0);
            total += ggml_backend_buffer_get_size(reading->mask_buffer.get());
            total += reading->embd ? ggml_backend_buffer_get_size(reading->embd->buffer.get()) : 0;
        }
        for (size_t i = 0; ctx->retain_made && i < ctx->retain_made->buffers.size(); ++i) {
            total += ggml_backend_buffer_get_size(ctx->retain_made->buffers[i].get());
        }
        for (const auto & sums : ctx->retain_sums) {
            total += ggml_backend_buffer_get_size(sums.buffer.get());
        }
        return total;
    }
};

size_t llama_retain_layer_bytes(const llama_context * ctx, uint32_t il) {
    size_t total = 0;
    for (const auto * part : llama_retain::parts(llama_retain::layer_of(ctx, il))) {
        total += (part->own_buf_k ? ggml_nbytes(part->k) : 0) + (part->own_buf_v ? ggml_nbytes(part->v) : 0);
    }
    return total;
}

size_t llama_retain_peak_bytes(const llama_context * ctx) {
    return llama_retain::measuring::peak(ctx);
}

size_t llama_retain_memory_bytes(const llama_context * ctx) {
    size_t total = 0;
    for (const auto & [buft, size] : ctx->get_memory()->memory_breakdown()) {
        total += size;
    }
    return total;
}

size_t llama_retain_compute_bytes(const llama_context * ctx) {
    return llama_retain::measuring::compute_bytes(ctx);
}
