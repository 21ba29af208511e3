#include "llama-retain.h"

#include "llama-context.h"
#include "llama-impl.h"
#include "llama-kv-cache-iswa.h"
#include "llama-model.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <future>
#include <mutex>
#include <numeric>
#include <set>
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
static thread_local bool t_deferred = false;

bool llama_retain_deferred() {
    return t_deferred;
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

bool llama_retain_can_write(const llama_model * model) {
    return !llama_model_has_encoder(model) && model->hparams.causal_attn;
}

void llama_retain_release_file(const llama_model * model) {
#if defined(__unix__) || defined(__APPLE__)
    bool copied = false;
    std::set<ggml_backend_buffer_t> mapped;
    for (const auto & [name, t] : model->tensors_by_name) {
        if (ggml_backend_buffer_t buffer = t->buffer) {
            auto * dev = ggml_backend_buft_get_device(ggml_backend_buffer_get_type(buffer));
            copied |= !ggml_backend_buffer_is_host(buffer) && dev && ggml_backend_dev_type(dev) == GGML_BACKEND_DEVICE_TYPE_CPU;
            if (strcmp(ggml_backend_buffer_name(buffer), "CPU_Mapped") == 0) {
                mapped.insert(buffer);
            }
        }
    }
    if (!copied) {
        return;
    }
    const uintptr_t page = uintptr_t(sysconf(_SC_PAGESIZE));
    for (auto * buffer : mapped) {
        const auto base  = uintptr_t(ggml_backend_buffer_get_base(buffer));
        const auto begin = GGML_PAD(base, page);
        const auto end   = (base + ggml_backend_buffer_get_size(buffer)) / page * page;
        if (begin < end) {
            madvise((void *) begin, end - begin, MADV_DONTNEED);
        }
    }
#else
    GGML_UNUSED(model);
#endif
}

llama_context * llama_retain_init(llama_model * model, llama_context_params params) {
    t_deferred = true;
    llama_context * ctx = llama_init_from_model(model, params);
    t_deferred = false;
    return ctx;
}

void llama_retain_queries::add(ggml_backend_sched_t sched, const llama_retain_query_batch & batch) {
    const auto add_to = [&](std::vector<double> & total, ggml_tensor * t) {
        std::vector<float> values(ggml_nelements(t));
        ggml_backend_t backend = ggml_backend_sched_get_tensor_backend(sched, t);
        ggml_backend_tensor_get_async(backend, t, values.data(), 0, ggml_nbytes(t));
        ggml_backend_synchronize(backend);
        total.resize(values.size(), 0.0);
        std::transform(values.begin(), values.end(), total.begin(), total.begin(), [](float value, double sum) { return sum + value; });
    };
    add_to(sum,      batch.sum);
    add_to(products, batch.products);
    n      += batch.n;
    scale   = batch.scale;
    rotated = batch.rope != nullptr;
    if (rotated) {
        rope.assign(batch.rope->op_params, batch.rope->op_params + std::size(batch.rope->op_params));
        factors = batch.rope->src[2];
    }
}

// what needs the insides of the context and of its cache
struct llama_retain {
    // the cache of the layers that attend to everything: the one that retains
    static llama_kv_cache & cache(const llama_context * ctx) {
        auto * iswa = dynamic_cast<llama_kv_cache_iswa *>(ctx->memory.get());
        auto * kv   = iswa ? iswa->get_base() : dynamic_cast<llama_kv_cache *>(ctx->memory.get());
        GGML_ASSERT(kv && kv->retain && kv->n_stream == 1);
        return *kv;
    }

    // the small cache of the sliding-window layers, if there are any: it keeps what they see, and is left alone
    static llama_kv_cache * sliding(const llama_context * ctx) {
        auto * iswa = dynamic_cast<llama_kv_cache_iswa *>(ctx->memory.get());
        return iswa ? iswa->get_swa() : nullptr;
    }

    static llama_kv_cache & holder(const llama_context * ctx, uint32_t il) {
        auto & kv = cache(ctx);
        return kv.map_layer_ids.count(il) ? kv : *sliding(ctx);
    }

    // CUDA's faster attention kernels want this many cells, or a multiple; on the CPU unused ones would only cost
    static constexpr uint32_t n_step = 256;

    static bool on_host(const llama_kv_cache & kv) {
        return ggml_backend_buft_is_host(ggml_backend_buffer_get_type(kv.layers[0].k->buffer));
    }

    using kv_layer = llama_kv_cache::kv_layer;

    // what is done to K and then to V
    struct kind {
        ggml_tensor *                          kv_layer::* t;
        std::vector<ggml_tensor *>             kv_layer::* stream;
        std::shared_ptr<ggml_context>          kv_layer::* own_ctx;
        std::shared_ptr<ggml_backend_buffer>   kv_layer::* own_buf;
        ggml_type                        llama_kv_cache::* retain_type;
    };

    static constexpr kind kinds[] = {
        { &kv_layer::k, &kv_layer::k_stream, &kv_layer::own_ctx_k, &kv_layer::own_buf_k, &llama_kv_cache::retain_type_k },
        { &kv_layer::v, &kv_layer::v_stream, &kv_layer::own_ctx_v, &kv_layer::own_buf_v, &llama_kv_cache::retain_type_v },
    };

    // what a layer is stored as: all heads together, or each on its own
    static std::vector<const kv_layer *> parts(const kv_layer & layer) {
        std::vector<const kv_layer *> out;
        if (layer.heads.empty()) {
            out.push_back(&layer);
        }
        for (const auto & head : layer.heads) {
            out.push_back(&head);
        }
        return out;
    }

    static const kv_layer & part_of(const kv_layer & layer, uint32_t head) {
        return layer.heads.empty() ? layer : layer.heads[head];
    }

    // positions of the retained rows of one head
    static const std::vector<uint32_t> & kept_of(const kv_layer & layer, uint32_t head) {
        static const std::vector<uint32_t> none;
        const auto & kept = part_of(layer, head).kept;
        return kept.empty() ? none : kept[layer.heads.empty() ? head : 0];
    }

    // its storage was given back or never given
    static bool is_empty(const kv_layer & layer) {
        return !parts(layer)[0]->own_buf_v;
    }

    // read, and not yet cut down
    static bool is_staged(const kv_layer & layer) {
        return !is_empty(layer) && parts(layer)[0]->kept.empty();
    }

    static size_t bytes(const kv_layer & layer) {
        size_t total = 0;
        for (const auto * part : parts(layer)) {
            total += (part->own_buf_k ? ggml_nbytes(part->k) : 0) + (part->own_buf_v ? ggml_nbytes(part->v) : 0);
        }
        return total;
    }

    static size_t layer_bytes(const llama_context * ctx, uint32_t il) {
        const auto & kv = holder(ctx, il);
        return bytes(kv.layers[kv.map_layer_ids.at(il)]);
    }

    // `beside`: bytes that are held for a moment and belong to no layer
    static void count(const llama_context * ctx, size_t beside = 0) {
        size_t total = beside;
        for (uint32_t il = 0; il < ctx->model.hparams.n_layer(); ++il) {
            total += layer_bytes(ctx, il);
        }
        auto & kv = cache(ctx);
        kv.retain_peak = std::max(kv.retain_peak, total);
    }

    // K or V of n_rows rows of n_embd elements on old's device, into `out`. false: no memory
    static bool alloc(const ggml_tensor * old, ggml_type type, int64_t n_embd, uint32_t n_rows, const kind & kind, kv_layer & out) {
        ggml_init_params params = { ggml_tensor_overhead(), nullptr, true };
        auto & own_ctx = out.*kind.own_ctx;
        auto & own_buf = out.*kind.own_buf;
        own_ctx.reset(ggml_init(params), ggml_free);

        ggml_tensor * fresh = ggml_new_tensor_3d(own_ctx.get(), type, n_embd, n_rows, 1);
        ggml_set_name(fresh, old->name);
        out.*kind.t      = fresh;
        out.*kind.stream = { fresh };

        auto * buf = ggml_backend_alloc_ctx_tensors_from_buft(own_ctx.get(), ggml_backend_buffer_get_type(old->buffer));
        own_buf.reset(buf, ggml_backend_buffer_free);
        if (!buf) {
            return false;
        }
        // cells that are not used yet are masked, but must not be NaN
        ggml_backend_buffer_clear(buf, 0);
        return true;
    }

    // elements of a row of all heads
    static int64_t width(const kv_layer & layer, const kind & kind) {
        return (parts(layer)[0]->*kind.t)->ne[0]*parts(layer).size();
    }

    // n_rows empty rows of all heads together, as f16 (exact) or of the cache's types. false: no memory
    static bool renew(const llama_kv_cache & kv, kv_layer & layer, bool exact, uint32_t n_rows) {
        kv_layer fresh = {};
        fresh.il = layer.il;
        for (const auto & kind : kinds) {
            if (!alloc(layer.*kind.t, exact ? GGML_TYPE_F16 : kv.*kind.retain_type, width(layer, kind), n_rows, kind, fresh)) {
                return false;
            }
        }
        layer = std::move(fresh);
        return true;
    }

    // puts the layer's K and V into the new parts, of n_cells rows after their prefixes each, which copy(kind, part, to) fills.
    // K goes before V is copied: at most one of the two exists twice. false: no memory
    static bool replace(llama_context * ctx, kv_layer & layer, std::vector<kv_layer> fresh, const ggml_type (&types)[2], uint32_t n_cells,
            const std::function<void(const kind &, size_t, ggml_tensor *)> & copy) {
        size_t beside = 0;
        for (size_t i = 0; i < std::size(kinds); ++i) {
            const auto & kind = kinds[i];
            const int64_t n_embd = width(layer, kind)/fresh.size();
            for (auto & part : fresh) {
                if (!alloc(layer.*kind.t, types[i], n_embd, part.n_prefix + n_cells, kind, part)) {
                    return false;
                }
                beside += ggml_nbytes(part.*kind.t);
            }
            count(ctx, beside);
            for (size_t p = 0; p < fresh.size(); ++p) {
                copy(kind, p, fresh[p].*kind.t);
            }
            for (auto * part : parts(layer)) {
                const_cast<kv_layer *>(part)->*kind.own_buf = nullptr;
            }
        }
        set_parts(layer, std::move(fresh));
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

    // parts for n heads with these positions: one, or one for each head when they keep different numbers
    static std::vector<kv_layer> new_parts(uint32_t il, std::vector<std::vector<uint32_t>> kept) {
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

    // the bytes of a tensor on the host: in place, or copied from the device into `copy`
    static const uint8_t * on_host(const ggml_tensor * t, std::vector<uint8_t> & copy) {
        if (ggml_backend_buffer_is_host(t->buffer)) {
            return (const uint8_t *) t->data;
        }
        copy.resize(ggml_nbytes(t));
        ggml_backend_tensor_get(t, copy.data(), 0, copy.size());
        return copy.data();
    }

    // a tensor of another shape or type over the same bytes
    static ggml_tensor * alias(ggml_context * ctx, const ggml_tensor * t, ggml_type type, int64_t ne0, int64_t ne1, int64_t ne2, size_t nb2) {
        ggml_tensor * out = ggml_new_tensor_3d(ctx, type, ne0, ne1, ne2);
        out->nb[1]  = t->nb[1];
        out->nb[2]  = nb2;
        out->nb[3]  = t->nb[1]*ne1;
        out->buffer = t->buffer;
        out->data   = t->data;
        return out;
    }

    // the backend that computes on what lies in buffers of this type; nullptr: none
    static ggml_backend_t backend(const llama_context * ctx, ggml_backend_buffer_type_t buft) {
        if (ggml_backend_buft_is_host(buft)) {
            return ctx->backend_cpu;
        }
        const auto at = std::find_if(ctx->backends.begin(), ctx->backends.end(), [&](const auto & backend) {
            return ggml_backend_get_device(backend.get()) == ggml_backend_buft_get_device(buft);
        });
        return at == ctx->backends.end() ? nullptr : at->get();
    }

    // computes a small graph on its own; false: no room, or it failed
    static bool compute(ggml_backend_t backend, ggml_cgraph * graph, ggml_gallocr_t alloc) {
        return ggml_gallocr_alloc_graph(alloc, graph) && ggml_backend_graph_compute(backend, graph) == GGML_STATUS_SUCCESS;
    }

    // some of the heads that stand side by side in a tensor's rows
    struct heads {
        ggml_tensor * t;
        uint32_t      first;
        uint32_t      n_embd; // elements of one

        size_t size()   const { return ggml_row_size(t->type, n_embd); }
        size_t offset() const { return first*size(); }
    };

    // gather() where the cache lies: staging of a long document is hundreds of MiB, which would cross to the host and back.
    // false: the device cannot, or has no room for what is under way
    static bool gather_on_device(llama_context * ctx, const heads & from_heads, const heads & to_heads, uint32_t n_head,
            const std::vector<int32_t> * rows) {
        const auto * src = from_heads.t;
        auto *       dst = to_heads.t;
        auto * buft = ggml_backend_buffer_get_type(dst->buffer);
        const auto device = backend(ctx, buft);
        if (!device) {
            return false;
        }

        ggml_init_params params = { 16*ggml_tensor_overhead() + ggml_graph_overhead(), nullptr, true };
        ggml_context_ptr tensors(ggml_init(params));
        auto * c = tensors.get();

        // what keeps its type is moved as words, whatever they mean
        const size_t part_src = from_heads.size();
        const size_t part_dst = to_heads.size();
        const bool   words    = src->type == dst->type && part_src%sizeof(int32_t) == 0;
        const auto   type_src = words ? GGML_TYPE_I32 : src->type;
        const auto   type_dst = words ? GGML_TYPE_I32 : dst->type;
        const int64_t n_part  = words ? part_src/sizeof(int32_t) : from_heads.n_embd;

        const int64_t n_rows = rows[0].size();
        ggml_tensor * ids  = ggml_new_tensor_2d(c, GGML_TYPE_I32, n_rows, n_head);
        ggml_set_input(ids);
        ggml_tensor * from = alias(c, src, type_src, n_part, src->ne[1], n_head, part_src);
        ggml_tensor * to   = alias(c, dst, type_dst, n_part, n_rows,     n_head, part_dst);
        from->data = (char *) from->data + from_heads.offset();
        to->data   = (char *) to->data   + to_heads.offset();
        ggml_tensor * got  = ggml_get_rows(c, from, ids);
        ggml_tensor * put  = ggml_cpy(c, got, to);
        if (!ggml_backend_supports_op(device, got) || !ggml_backend_supports_op(device, put)) {
            return false;
        }

        ggml_cgraph * graph = ggml_new_graph_custom(c, 8, false);
        ggml_build_forward_expand(graph, put);
        ggml_gallocr_ptr alloc(ggml_gallocr_new(buft));
        if (!ggml_gallocr_alloc_graph(alloc.get(), graph)) {
            return false;
        }
        for (uint32_t h = 0; h < n_head; ++h) {
            ggml_backend_tensor_set(ids, rows[h].data(), h*ids->nb[1], ids->nb[1]);
        }
        return ggml_backend_graph_compute(device, graph) == GGML_STATUS_SUCCESS;
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

    // the first rows of dst from rows of src, listed for each of n_head heads, as many for one as for the other. f16 may become
    // a quantised type; a block never spans two heads, and what is quantised already is copied bit by bit
    static void gather(llama_context * ctx, const heads & from_heads, const heads & to_heads, uint32_t n_head, const std::vector<int32_t> * rows) {
        const auto * src = from_heads.t;
        auto *       dst = to_heads.t;
        if (!ggml_backend_buffer_is_host(dst->buffer) && !ggml_backend_buffer_is_host(src->buffer) &&
                gather_on_device(ctx, from_heads, to_heads, n_head, rows)) {
            return;
        }

        std::vector<uint8_t> copy_src;
        std::vector<uint8_t> copy_dst;

        const uint8_t * from = on_host(src, copy_src);
        const bool      host = ggml_backend_buffer_is_host(dst->buffer);
        if (!host) {
            copy_dst.resize(ggml_nbytes(dst));
            // it may hold other heads' rows
            ggml_backend_tensor_get(dst, copy_dst.data(), 0, copy_dst.size());
        }
        uint8_t * to = host ? (uint8_t *) dst->data : copy_dst.data();

        const int64_t n_embd   = from_heads.n_embd;
        const size_t  src_row  = src->nb[1];
        const size_t  dst_row  = dst->nb[1];
        const size_t  src_part = from_heads.size();
        const size_t  dst_part = to_heads.size();
        std::vector<float> values(n_embd);
        for (size_t r = 0; r < rows[0].size(); ++r) {
            for (uint32_t h = 0; h < n_head; ++h) {
                const uint8_t * part = from + rows[h][r]*src_row + from_heads.offset() + h*src_part;
                uint8_t *       into = to + r*dst_row + to_heads.offset() + h*dst_part;
                if (src->type == dst->type) {
                    memcpy(into, part, dst_part);
                } else {
                    ggml_fp16_to_fp32_row((const ggml_fp16_t *) part, values.data(), n_embd);
                    ggml_quantize_chunk(dst->type, values.data(), into, 0, 1, n_embd, nullptr);
                }
            }
        }
        if (!host) {
            ggml_backend_tensor_set(dst, copy_dst.data(), 0, copy_dst.size());
        }
    }

    static void reset_cells(llama_kv_cache & kv, uint32_t n_cells) {
        // taking apart what is known of a long document's cells takes longer than a batch: the device is not to wait for it
        kv.retain_spent = std::async(std::launch::async, [spent = std::move(kv.v_cells[0])]() mutable { spent = llama_kv_cells(); });
        kv.v_cells[0] = llama_kv_cells();
        kv.v_cells[0].resize(n_cells);
        kv.v_heads[0] = 0;
    }

    static void changed(llama_context * ctx, uint32_t il_begin, uint32_t il_end) {
        auto & kv = cache(ctx);
        kv.retain_begin = ctx->cparams.retain_begin = il_begin;
        kv.retain_end   = ctx->cparams.retain_end   = il_end;
        ctx->cparams.retain_gen++;
    }

    static size_t hold(llama_context * ctx, ggml_type type, uint32_t n_tokens) {
        ctx->synchronize();
        ctx->cparams.retain_reading = nullptr;
        ctx->retain_reading.reset();
        if (n_tokens == 0) {
            return 0;
        }
        ctx->retain_passed.clear();
        // a graph that is reserved has as many tokens as a batch can; the mask's edge is as wide as a batch, padded
        const int64_t n_batch = ctx->cparams.n_ubatch;
        const int64_t n_rows  = GGML_PAD(std::max<int64_t>(n_tokens, n_batch), on_host(cache(ctx)) ? 1 : n_step);
        const int64_t n_edge  = n_batch + 258;

        auto reading = std::make_unique<llama_retain_reading>();
        ggml_init_params params = { 6*ggml_tensor_overhead(), nullptr, true };
        reading->tensors.reset(ggml_init(params));
        reading->hidden = ggml_new_tensor_2d(reading->tensors.get(), type, ctx->model.hparams.n_embd, n_rows);
        reading->mask   = ggml_new_tensor_1d(reading->tensors.get(), GGML_TYPE_F16, n_rows*n_batch);
        reading->edge   = ggml_new_tensor_2d(reading->tensors.get(), GGML_TYPE_F16, n_edge, n_batch);
        reading->zero   = ggml_new_tensor_2d(reading->tensors.get(), GGML_TYPE_F16, n_edge, n_batch);
        reading->pos    = ggml_new_tensor_1d(reading->tensors.get(), GGML_TYPE_I32, n_rows);
        reading->cells  = ggml_new_tensor_1d(reading->tensors.get(), GGML_TYPE_I64, n_rows);
        for (auto * buft : { ggml_backend_buffer_get_type(holder(ctx, 0).layers[0].k->buffer), ggml_backend_cpu_buffer_type() }) {
            reading->buffer.reset(ggml_backend_alloc_ctx_tensors_from_buft(reading->tensors.get(), buft));
            if (reading->buffer) {
                break;
            }
        }
        if (!reading->buffer) {
            return 0;
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
        ggml_backend_tensor_set(reading->pos,   pos.data(),   0, ggml_nbytes(reading->pos));
        ggml_backend_tensor_set(reading->cells, cells.data(), 0, ggml_nbytes(reading->cells));
        ctx->retain_reading = std::move(reading);
        ctx->cparams.retain_reading = ctx->retain_reading.get();
        return ggml_nbytes(ctx->retain_reading->hidden);
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
        if (!reading || n == 0) {
            return false;
        }
        std::vector<int32_t> rows(n);
        for (uint32_t i = 0; i < n; ++i) {
            rows[i] = row_of(ctx, positions[i]);
            if (rows[i] < 0 || rows[i] >= reading->hidden->ne[1] || (i > 0 && positions[i] <= positions[i - 1])) {
                return false;
            }
        }
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
        if (!on_host(full)) {
            n_cells = GGML_PAD(n_cells, n_step);
        }
        ctx->synchronize();
        for (uint32_t il = il_begin; il < il_end; ++il) {
            auto & kv    = holder(ctx, il);
            auto & layer = kv.layers[kv.map_layer_ids.at(il)];
            const bool is_small = &kv == small;
            if (!renew(kv, layer, !plain && !is_small, is_small ? n_small : n_cells)) {
                return false;
            }
        }
        reset_cells(full, n_cells);
        if (small) {
            reset_cells(*small, n_small);
        }
        ctx->retain_queries.clear();
        changed(ctx, il_begin, il_end);
        count(ctx);
        return reserve_batch(ctx, n_cells);
    }

    // Lays out the group's largest graph. Otherwise the scheduler would do so anew for every batch, as each is larger than
    // the one before, and wait for the device to come to rest each time.
    static bool reserve_batch(llama_context * ctx, uint32_t n_cells) {
        auto & cparams = ctx->cparams;
        const uint32_t n_tokens = std::min(n_cells, cparams.n_ubatch);
        const auto full = ctx->memory->init_full();
        cparams.retain_first = n_cells - n_tokens;
        const bool fits = ctx->graph_reserve(n_tokens, 1, 1, full.get()) != nullptr;
        cparams.retain_first = -1;
        return fits;
    }

    // lists of positions, one KV head after the other: each is to ascend, and to end before `end`
    static bool take_positions(const uint32_t * positions, const uint32_t * n_keep, uint32_t end, std::vector<std::vector<uint32_t>> & kept) {
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

    // puts into the layer what another one, or itself, holds in these rows of each head: those that are kept at these positions,
    // then those of the first of n_cells cells. false: no memory
    static bool retain_rows(llama_context * ctx, kv_layer & layer, const kv_layer & source, std::vector<std::vector<uint32_t>> kept,
            const std::vector<std::vector<int32_t>> & rows, uint32_t n_cells) {
        const auto & kv = cache(ctx);
        auto fresh = new_parts(layer.il, std::move(kept));
        const uint32_t n_head   = rows.size();
        const bool     together = fresh.size() == 1;
        const ggml_type types[] = { kv.retain_type_k, kv.retain_type_v };
        const bool fits = replace(ctx, layer, std::move(fresh), types, n_cells, [&](const kind & kind, size_t p, ggml_tensor * to) {
            const uint32_t n_embd = width(layer, kind)/n_head;
            // as many heads at a time as stand side by side in both
            const uint32_t n = together && source.heads.empty() ? n_head : 1;
            const uint32_t last = together ? n_head : p + 1;
            for (uint32_t h = together ? 0 : p; h < last; h += n) {
                const heads from = { part_of(source, h).*kind.t, source.heads.empty() ? h : 0, n_embd };
                gather(ctx, from, { to, together ? h : 0, n_embd }, n, &rows[h]);
            }
        });
        ctx->cparams.retain_gen++;
        return fits;
    }

    static bool keep(llama_context * ctx, uint32_t il, const uint32_t * positions, const uint32_t * n_keep, uint32_t n_tokens, uint32_t n_window) {
        auto & kv = cache(ctx);
        ctx->synchronize();
        const auto id = kv.map_layer_ids.find(il);
        if (id == kv.map_layer_ids.end() || n_window > n_tokens) {
            return false;
        }
        auto & layer = kv.layers[id->second];
        if (is_empty(layer)) {
            return false;
        }
        const uint32_t n_head = kv.hparams.n_head_kv(il);
        const uint32_t first  = n_tokens - n_window;
        const bool     staged = is_staged(layer);

        // rows of the source, the window's last
        std::vector<std::vector<int32_t>>  rows(n_head);
        std::vector<std::vector<uint32_t>> kept(n_head);
        if (!take_positions(positions, n_keep, first, kept)) {
            return false;
        }
        for (uint32_t h = 0; h < n_head; ++h) {
            const auto & part = part_of(layer, h);
            const auto & held = kept_of(layer, h);
            for (const uint32_t p : kept[h]) {
                const auto it = std::lower_bound(held.begin(), held.end(), p);
                if (staged ? row_of(ctx, p) < 0 : it == held.end() || *it != p) {
                    return false;
                }
                rows[h].push_back(staged ? row_of(ctx, p) : part.n_pad + (it - held.begin()));
            }
            for (uint32_t i = 0; i < n_window; ++i) {
                const int32_t row = staged ? row_of(ctx, first + i) : part.n_prefix + i;
                if (row < 0) {
                    return false;
                }
                rows[h].push_back(row);
            }
        }

        return retain_rows(ctx, layer, layer, std::move(kept), rows, n_window);
    }

    // the position in each cell, -1: it is empty
    static std::vector<llama_pos> positions_of(const llama_kv_cache & kv) {
        const auto & cells = kv.v_cells[0];
        std::vector<llama_pos> positions(cells.size());
        for (uint32_t i = 0; i < cells.size(); ++i) {
            positions[i] = cells.is_empty(i) ? -1 : cells.pos_get(i);
        }
        return positions;
    }

    // n_cells cells, of which the first hold these positions
    static void fill_cells(llama_kv_cache & kv, uint32_t n_cells, const std::vector<llama_pos> & positions) {
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

    // n positions from `first` on
    static void fill_cells(llama_kv_cache & kv, uint32_t n_cells, uint32_t first, uint32_t n) {
        std::vector<llama_pos> positions(n);
        std::iota(positions.begin(), positions.end(), first);
        fill_cells(kv, n_cells, positions);
    }

    // all layers retain: the first of n_cells cells hold n positions from `first` on. false: a layer is empty or staged
    static bool occupy(llama_context * ctx, uint32_t n_cells, uint32_t first, uint32_t n) {
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

    static bool finish(llama_context * ctx, uint32_t n_tokens, uint32_t n_window) {
        if (!occupy(ctx, n_window, n_tokens - n_window, n_window)) {
            return false;
        }
        ctx->cparams.retain_rows = 0;
        ctx->retain_read.clear();
        ctx->retain_read_buf.reset();
        return true;
    }

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
        const uint32_t n_used = kv.v_cells[0].used_max_p1();
        const uint32_t n_prefix = kv.get_n_prefix_max();
        n_cells = std::max(n_cells, n_used);
        if (!on_host(kv)) {
            n_cells = GGML_PAD(n_prefix + n_cells, n_step) - n_prefix;
        }

        for (auto & layer : kv.layers) {
            const auto old = parts(layer);
            std::vector<kv_layer> fresh(old.size());
            for (size_t p = 0; p < old.size(); ++p) {
                // what keeps less is to have such a multiple too
                const uint32_t shift = on_host(kv) ? 0 : (n_prefix - old[p]->n_prefix)%n_step;
                fresh[p].il       = layer.il;
                fresh[p].n_prefix = old[p]->n_prefix + shift;
                fresh[p].n_pad    = old[p]->n_pad + shift;
                fresh[p].kept     = old[p]->kept;
            }
            const ggml_type types[] = { layer.k->type, layer.v->type };
            if (is_empty(layer) || !replace(ctx, layer, fresh, types, n_cells, [&](const kind & kind, size_t p, ggml_tensor * to) {
                        copy_rows(old[p]->*kind.t, old[p]->n_pad, to, fresh[p].n_pad, old[p]->n_prefix - old[p]->n_pad + n_used);
                    })) {
                return false;
            }
        }

        auto positions = positions_of(kv);
        positions.resize(n_used);
        fill_cells(kv, n_cells, positions);
        if (!alloc_pads(kv, n_prefix + n_cells)) {
            return false;
        }
        ctx->cparams.retain_gen++;
        return true;
    }

    static const std::vector<uint32_t> & kept(const llama_context * ctx, uint32_t il, uint32_t head) {
        const auto & kv = cache(ctx);
        return kept_of(kv.layers[kv.map_layer_ids.at(il)], head);
    }

    static size_t get_layer(llama_context * ctx, uint32_t il, uint32_t n_cells, uint8_t * data) {
        ctx->synchronize();
        const auto & kv    = holder(ctx, il);
        const auto & layer = kv.layers[kv.map_layer_ids.at(il)];
        size_t total = 0;
        for (const auto & kind : kinds) {
            for (const auto * part : parts(layer)) {
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

    static uint32_t get_cells(const llama_context * ctx, bool is_sliding, int32_t * positions) {
        const auto * kv = is_sliding ? sliding(ctx) : &cache(ctx);
        if (kv && positions) {
            const auto all = positions_of(*kv);
            std::copy(all.begin(), all.end(), positions);
        }
        return kv ? kv->get_size() : 0;
    }

    static bool set_layer(llama_context * ctx, uint32_t il, const uint32_t * positions, const uint32_t * n_kept, uint32_t n_tokens,
            const uint8_t * data, size_t size, uint32_t n_stored, uint32_t n_cells) {
        auto & kv    = holder(ctx, il);
        auto & layer = kv.layers[kv.map_layer_ids.at(il)];
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
        });
    }

    static bool set_cells(llama_context * ctx, uint32_t n_tokens, uint32_t n_cells, const int32_t * positions, uint32_t n_positions) {
        auto * small = sliding(ctx);
        if (n_positions != (small ? small->get_size() : 0) || !finish(ctx, n_tokens + n_cells, n_cells)) {
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

    static size_t compute_bytes(const llama_context * ctx) {
        size_t total = 0;
        for (const auto & backend : ctx->backends) {
            total += ggml_backend_sched_get_buffer_size(ctx->sched.get(), backend.get());
        }
        if (const auto & reading = ctx->retain_reading) {
            total += ggml_backend_buffer_get_size(reading->buffer.get()) - ggml_nbytes(reading->hidden);
        }
        return total;
    }

    static size_t peak(const llama_context * ctx) {
        return cache(ctx).retain_peak;
    }

    static void observe(llama_context * ctx, uint32_t what, uint32_t n_rows) {
        ctx->cparams.retain_what = what;
        ctx->cparams.retain_rows = n_rows;
    }

    // of a layer that was read and not yet cut down: its K or V; nullptr otherwise
    static ggml_tensor * staging(const llama_context * ctx, uint32_t il, bool values, uint32_t n_rows) {
        const auto & kv = cache(ctx);
        const auto id = kv.map_layer_ids.find(il);
        if (id == kv.map_layer_ids.end()) {
            return nullptr;
        }
        const auto & layer = kv.layers[id->second];
        ggml_tensor * t = values ? layer.v : layer.k;
        return is_staged(layer) && t->type == GGML_TYPE_F16 && n_rows <= t->ne[1] ? t : nullptr;
    }

    // each KV head's rows of keys or values in turn, as f16. Returns the size of a row; 0: the layer has no such storage
    template <typename F>
    static uint32_t each_row(llama_context * ctx, uint32_t il, bool values, uint32_t n_rows, F take) {
        ctx->synchronize();
        const auto * t = staging(ctx, il, values, n_rows);
        if (!t) {
            return 0;
        }
        const uint32_t n_head = cache(ctx).hparams.n_head_kv(il);
        const uint32_t n_embd = t->ne[0]/n_head;
        std::vector<uint8_t> copy;
        const uint8_t * data = n_rows > 0 ? on_host(t, copy) : nullptr; // who asks for the size alone is not to copy the layer
        for (uint32_t h = 0; h < n_head; ++h) {
            for (uint32_t r = 0; r < n_rows; ++r) {
                take((const ggml_fp16_t *) (data + r*t->nb[1]) + h*n_embd, n_embd);
            }
        }
        return n_embd;
    }

    static uint32_t keys(llama_context * ctx, uint32_t il, uint32_t n_rows, float * out) {
        return each_row(ctx, il, false, out ? n_rows : 0, [&](const ggml_fp16_t * row, uint32_t n_embd) {
            ggml_fp16_to_fp32_row(row, out, n_embd);
            out += n_embd;
        });
    }

    static bool value_norms(llama_context * ctx, uint32_t il, uint32_t n_rows, float * out) {
        std::vector<float> values;
        return each_row(ctx, il, true, n_rows, [&](const ggml_fp16_t * row, uint32_t n_embd) {
            values.resize(n_embd);
            ggml_fp16_to_fp32_row(row, values.data(), n_embd);
            *out++ = std::sqrt(std::inner_product(values.begin(), values.end(), values.begin(), 0.0f));
        }) > 0;
    }

    // the mean of what rotary embedding does at n positions from `first` on, column after column; empty: no memory.
    // The node that rotated the queries is applied to the identity, so that every kind of rotary embedding is covered
    static std::vector<double> mean_rotation(llama_context * ctx, const llama_retain_queries & queries, int64_t n_embd, int32_t first, uint32_t n) {
        std::vector<double> mean(n_embd*n_embd, 0.0);
        if (!queries.rotated) {
            for (int64_t i = 0; i < n_embd; ++i) {
                mean[i*n_embd + i] = 1.0;
            }
            return mean;
        }

        const int64_t n_step = std::min<int64_t>(n, 32);
        ggml_init_params params = { 4*ggml_tensor_overhead() + ggml_graph_overhead(), nullptr, true };
        ggml_context_ptr tensors(ggml_init(params));
        auto * c = tensors.get();

        ggml_tensor * identity = ggml_new_tensor_3d(c, GGML_TYPE_F32, n_embd, n_embd, n_step);
        ggml_tensor * pos      = ggml_new_tensor_1d(c, GGML_TYPE_I32, n_step);
        ggml_tensor * factors  = queries.factors ? ggml_dup_tensor(c, queries.factors) : nullptr;
        ggml_tensor * rotated  = ggml_dup_tensor(c, identity);
        rotated->op = GGML_OP_ROPE;
        rotated->src[0] = identity;
        rotated->src[1] = pos;
        rotated->src[2] = factors;
        memcpy(rotated->op_params, queries.rope.data(), sizeof(rotated->op_params));

        ggml_backend_buffer_ptr buffer(ggml_backend_alloc_ctx_tensors(c, ctx->backend_cpu));
        if (!buffer) {
            return {};
        }
        ggml_cgraph * graph = ggml_new_graph_custom(c, 8, false);
        ggml_build_forward_expand(graph, rotated);

        std::vector<float> values(ggml_nelements(identity), 0.0f);
        for (int64_t i = 0; i < n_embd*n_step; ++i) {
            values[i*n_embd + i%n_embd] = 1.0f;
        }
        ggml_backend_tensor_set(identity, values.data(), 0, ggml_nbytes(identity));
        if (factors) {
            std::vector<uint8_t> copy;
            ggml_backend_tensor_set(factors, on_host(queries.factors, copy), 0, ggml_nbytes(factors));
        }
        std::vector<int32_t> at(n_step);
        for (uint32_t start = 0; start < n; start += n_step) {
            for (int64_t i = 0; i < n_step; ++i) {
                at[i] = first + start + i;
            }
            ggml_backend_tensor_set(pos, at.data(), 0, ggml_nbytes(pos));
            if (ggml_backend_graph_compute(ctx->backend_cpu, graph) != GGML_STATUS_SUCCESS) {
                return {};
            }
            ggml_backend_tensor_get(rotated, values.data(), 0, ggml_nbytes(rotated));
            for (int64_t i = 0; i < std::min<int64_t>(n_step, n - start)*n_embd*n_embd; ++i) {
                mean[i%(n_embd*n_embd)] += values[i]/n;
            }
        }
        return mean;
    }

    // the transpose of (rotation times symmetric), both n x n column after column; a rotation's columns have few entries
    static std::vector<double> turn(const std::vector<double> & rotation, const std::vector<double> & columns, int64_t n) {
        std::vector<double> out(n*n, 0.0);
        for (int64_t j = 0; j < n; ++j) {
            for (int64_t i = 0; i < n; ++i) {
                const double factor = rotation[j*n + i];
                for (int64_t k = 0; factor != 0.0 && k < n; ++k) {
                    out[i*n + k] += factor*columns[k*n + j];
                }
            }
        }
        return out;
    }

    // a = l*l^T in place: column c of l stands in a[c*n ...]. What has no extent but by rounding becomes zero
    static void cholesky(std::vector<double> & a, int64_t n) {
        double trace = 0.0;
        for (int64_t i = 0; i < n; ++i) {
            trace += a[i*n + i];
        }
        for (int64_t c = 0; c < n; ++c) {
            double * column = a.data() + c*n;
            std::fill(column, column + c, 0.0);
            for (int64_t b = 0; b < c; ++b) {
                const double * before = a.data() + b*n;
                for (int64_t r = c; before[c] != 0.0 && r < n; ++r) {
                    column[r] -= before[c]*before[r];
                }
            }
            const double pivot = column[c];
            for (int64_t r = c; r < n; ++r) {
                column[r] = pivot > 1e-12*trace ? column[r]/std::sqrt(pivot) : 0.0;
            }
        }
    }

    static bool expected(llama_context * ctx, uint32_t il, uint32_t n_rows, int32_t first, uint32_t n_future, float * logits) {
        ctx->synchronize();
        const auto & kv = cache(ctx);
        const auto * keys = staging(ctx, il, false, n_rows);
        const auto it = ctx->retain_queries.find(il);
        if (!keys || it == ctx->retain_queries.end()) {
            return false;
        }
        const auto &  queries   = it->second;
        const int64_t n_head_kv = kv.hparams.n_head_kv(il);
        const int64_t n_group   = kv.hparams.n_head(il)/n_head_kv;
        const int64_t n_embd    = keys->ne[0]/n_head_kv;

        // with the covariance as l*l^T, k*l*l^T*k/2 is the sum of the squares of k*l/sqrt(2)
        const auto rotation = mean_rotation(ctx, queries, n_embd, first, n_future);
        if (rotation.empty()) {
            return false;
        }
        std::vector<float> mean(n_head_kv*n_group*n_embd, 0.0f);
        std::vector<float> spread(mean.size()*n_embd);
        for (int64_t h = 0; h < n_head_kv*n_group; ++h) {
            const double * sum      = queries.sum.data()      + h*n_embd;
            const double * products = queries.products.data() + h*n_embd*n_embd;
            std::vector<double> covariance(n_embd*n_embd);
            for (int64_t i = 0; i < n_embd; ++i) {
                for (int64_t j = 0; j < n_embd; ++j) {
                    covariance[i*n_embd + j] = products[i*n_embd + j]/queries.n - sum[i]/queries.n*sum[j]/queries.n;
                    mean[h*n_embd + j] += queries.scale*rotation[i*n_embd + j]*sum[i]/queries.n;
                }
            }
            covariance = turn(rotation, turn(rotation, covariance, n_embd), n_embd);
            cholesky(covariance, n_embd);
            std::transform(covariance.begin(), covariance.end(), spread.begin() + h*n_embd*n_embd, [&](double value) {
                return value*queries.scale*std::sqrt(0.5);
            });
        }

        auto * buft = ggml_backend_buffer_get_type(keys->buffer);
        const auto device = backend(ctx, buft);
        ggml_init_params params = { 3*ggml_tensor_overhead(), nullptr, true };
        ggml_context_ptr inputs(ggml_init(params));
        ggml_tensor * t_mean   = ggml_new_tensor_3d(inputs.get(), GGML_TYPE_F32, n_embd, n_group,        n_head_kv);
        ggml_tensor * t_spread = ggml_new_tensor_3d(inputs.get(), GGML_TYPE_F32, n_embd, n_group*n_embd, n_head_kv);
        ggml_tensor * t_rot    = kv.build_input_k_rot(inputs.get());
        ggml_backend_buffer_ptr buffer(ggml_backend_alloc_ctx_tensors_from_buft(inputs.get(), buft));
        ggml_gallocr_ptr alloc(ggml_gallocr_new(buft));
        if (!device || !buffer) {
            return false;
        }
        ggml_backend_tensor_set(t_mean,   mean.data(),   0, ggml_nbytes(t_mean));
        ggml_backend_tensor_set(t_spread, spread.data(), 0, ggml_nbytes(t_spread));
        if (t_rot) {
            ggml_backend_tensor_set(t_rot, kv.attn_rot_hadamard.at(t_rot->ne[0]).data(), 0, ggml_nbytes(t_rot));
        }

        // so many rows at a time that what is between stays under 32 MiB
        const int64_t n_step = std::max<int64_t>(1, (8 << 20)/(n_head_kv*n_group*n_embd));
        for (int64_t start = 0; start < n_rows; start += n_step) {
            const int64_t n = std::min(n_step, n_rows - start);
            ggml_init_params params = { 16*ggml_tensor_overhead() + ggml_graph_overhead(), nullptr, true };
            ggml_context_ptr tensors(ggml_init(params));
            auto * c = tensors.get();

            ggml_tensor * k = alias(c, keys, keys->type, n_embd, n, n_head_kv, n_embd*ggml_type_size(keys->type));
            k->data = (char *) k->data + start*keys->nb[1];
            k = ggml_cast(c, k, GGML_TYPE_F32);
            if (t_rot) {
                k = llama_mul_mat_hadamard(c, k, t_rot); // its own inverse
            }
            ggml_tensor * cur = ggml_sqr(c, ggml_mul_mat(c, t_spread, k));
            cur = ggml_sum_rows(c, ggml_reshape_4d(c, cur, n_embd, n_group, n, n_head_kv));
            cur = ggml_add(c, ggml_reshape_3d(c, cur, n_group, n, n_head_kv), ggml_mul_mat(c, t_mean, k));

            ggml_cgraph * graph = ggml_new_graph_custom(c, 16, false);
            ggml_build_forward_expand(graph, cur);
            if (!compute(device, graph, alloc.get())) {
                return false;
            }
            std::vector<float> values(ggml_nelements(cur));
            ggml_backend_tensor_get(cur, values.data(), 0, ggml_nbytes(cur));
            for (int64_t h = 0; h < n_head_kv*n_group; ++h) {
                for (int64_t r = 0; r < n; ++r) {
                    logits[h*n_rows + start + r] = values[(h/n_group*n + r)*n_group + h%n_group];
                }
            }
        }
        return true;
    }

    // where tensors may begin in memory that is lent: at a page, so that pages belong to one layer
    static constexpr size_t n_align = 4096;

    static size_t lent_bytes(const kv_layer & layer, const kind & kind, uint32_t n_cells) {
        return GGML_PAD(ggml_row_size(GGML_TYPE_F16, width(layer, kind))*n_cells, n_align);
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
        if (size < lend_size(whole, n_cells) || uintptr_t(data)%n_align != 0) {
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
            if (!renew(*small, small->layers[i], false, small->get_size())) {
                return false;
            }
        }
        reset_cells(kv, n_cells);
        changed(whole, 0, whole->model.hparams.n_layer());
        return true;
    }

    static const void * lent_rows(const llama_context * whole, uint32_t il, bool values, uint32_t n_rows, size_t * n_bytes) {
        const auto * t = staging(whole, il, values, n_rows);
        *n_bytes = t ? n_rows*t->nb[1] : 0;
        return t ? t->data : nullptr;
    }

    static bool put(llama_context * ctx, uint32_t il, uint32_t n_rows, llama_context * whole) {
        ctx->synchronize();
        for (const bool values : { false, true }) {
            const auto * from = staging(ctx, il, values, n_rows);
            const auto * to   = staging(whole, il, values, n_rows);
            if (!from || !to) {
                return false;
            }
            ggml_backend_tensor_get(from, to->data, 0, n_rows*to->nb[1]);
        }
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

    static bool refill(llama_context * ctx, uint32_t il, const uint32_t * positions, const uint32_t * n_keep, llama_context * whole,
            uint32_t n_before, uint32_t n_past, uint32_t n_cells) {
        auto & kv = cache(ctx);
        ctx->synchronize();
        whole->synchronize();
        const auto id = kv.map_layer_ids.find(il);
        if (id == kv.map_layer_ids.end() || !staging(whole, il, false, n_past) || n_past < n_before || n_past - n_before > n_cells) {
            return false;
        }
        const auto & full = cache(whole);
        const uint32_t n_head = kv.hparams.n_head_kv(il);
        std::vector<std::vector<int32_t>>  rows(n_head);
        std::vector<std::vector<uint32_t>> kept(n_head);
        if (!take_positions(positions, n_keep, n_before, kept)) {
            return false;
        }
        for (uint32_t h = 0; h < n_head; ++h) {
            rows[h].assign(kept[h].begin(), kept[h].end());
            for (uint32_t p = n_before; p < n_past; ++p) {
                rows[h].push_back(p);
            }
        }

        return retain_rows(ctx, kv.layers[id->second], full.layers[full.map_layer_ids.at(il)], std::move(kept), rows, n_cells);
    }

    static bool refilled(llama_context * ctx, uint32_t n_before, uint32_t n_past, uint32_t n_cells) {
        // a device wants multiples, which reserve() lays out
        return occupy(ctx, n_cells, n_before, n_past - n_before) && (on_host(cache(ctx)) || reserve(ctx, n_cells));
    }

    static const float * observed(llama_context * ctx, uint32_t il, uint32_t what, uint32_t * n_kv) {
        ctx->synchronize();
        const auto it = ctx->retain_read.find({ il, what });
        if (it == ctx->retain_read.end()) {
            return nullptr;
        }
        *n_kv = it->second.second/ctx->model.hparams.n_head(il);
        return it->second.first;
    }
};

bool llama_retain_flash_attn(const llama_context * ctx) {
    return ctx->get_cparams().flash_attn;
}

size_t llama_retain_hold(llama_context * ctx, ggml_type type, uint32_t n_tokens) {
    return llama_retain::hold(ctx, type, n_tokens);
}

bool llama_retain_pass(llama_context * ctx, const uint32_t * positions, uint32_t n) {
    return llama_retain::pass(ctx, positions, n);
}

bool llama_retain_begin(llama_context * ctx, uint32_t il_begin, uint32_t il_end, uint32_t n_cells, bool plain) {
    return llama_retain::begin(ctx, il_begin, il_end, n_cells, plain);
}

void llama_retain_observe(llama_context * ctx, uint32_t what, uint32_t n_rows) {
    llama_retain::observe(ctx, what, n_rows);
}

uint32_t llama_retain_keys(llama_context * ctx, uint32_t il, uint32_t n_rows, float * keys) {
    return llama_retain::keys(ctx, il, n_rows, keys);
}

bool llama_retain_value_norms(llama_context * ctx, uint32_t il, uint32_t n_rows, float * norms) {
    return llama_retain::value_norms(ctx, il, n_rows, norms);
}

bool llama_retain_expected(llama_context * ctx, uint32_t il, uint32_t n_rows, int32_t first, uint32_t n_future, float * logits) {
    return llama_retain::expected(ctx, il, n_rows, first, n_future, logits);
}

const float * llama_retain_observed(llama_context * ctx, uint32_t il, uint32_t what, uint32_t * n_kv) {
    return llama_retain::observed(ctx, il, what, n_kv);
}

bool llama_retain_keep(llama_context * ctx, uint32_t il, const uint32_t * positions, const uint32_t * n_keep, uint32_t n_tokens, uint32_t n_window) {
    return llama_retain::keep(ctx, il, positions, n_keep, n_tokens, n_window);
}

bool llama_retain_finish(llama_context * ctx, uint32_t n_tokens, uint32_t n_window) {
    return llama_retain::finish(ctx, n_tokens, n_window);
}

bool llama_retain_reserve(llama_context * ctx, uint32_t n_cells) {
    return llama_retain::reserve(ctx, n_cells);
}

bool llama_retain_is_sliding(const llama_model * model, uint32_t il) {
    return model->hparams.is_swa(il);
}

uint32_t llama_retain_n_cells(const llama_context * ctx) {
    return llama_retain::cache(ctx).get_size();
}

size_t llama_retain_layer_bytes(const llama_context * ctx, uint32_t il) {
    return llama_retain::layer_bytes(ctx, il);
}

size_t llama_retain_peak_bytes(const llama_context * ctx) {
    return llama_retain::peak(ctx);
}

size_t llama_retain_memory_bytes(const llama_context * ctx) {
    size_t total = 0;
    for (const auto & [buft, size] : ctx->get_memory()->memory_breakdown()) {
        total += size;
    }
    return total;
}

size_t llama_retain_compute_bytes(const llama_context * ctx) {
    return llama_retain::compute_bytes(ctx);
}

uint32_t llama_retain_kept(const llama_context * ctx, uint32_t il, uint32_t head, uint32_t * positions) {
    const auto & kept = llama_retain::kept(ctx, il, head);
    if (positions) {
        std::copy(kept.begin(), kept.end(), positions);
    }
    return kept.size();
}

size_t llama_retain_lend_size(const llama_context * whole, uint32_t n_cells) {
    return llama_retain::lend_size(whole, n_cells);
}

bool llama_retain_lend(llama_context * whole, void * data, size_t size, uint32_t n_cells) {
    return llama_retain::lend(whole, data, size, n_cells);
}

const void * llama_retain_lent_rows(llama_context * whole, uint32_t il, bool values, uint32_t n_rows, size_t * n_bytes) {
    return llama_retain::lent_rows(whole, il, values, n_rows, n_bytes);
}

bool llama_retain_put(llama_context * ctx, uint32_t il, uint32_t n_rows, llama_context * whole) {
    return llama_retain::put(ctx, il, n_rows, whole);
}

bool llama_retain_lent(llama_context * whole, llama_context * ctx, uint32_t n_tokens) {
    return llama_retain::lent(whole, ctx, n_tokens);
}

bool llama_retain_refill(llama_context * ctx, uint32_t il, const uint32_t * positions, const uint32_t * n_keep, llama_context * whole,
        uint32_t n_before, uint32_t n_past, uint32_t n_cells) {
    return llama_retain::refill(ctx, il, positions, n_keep, whole, n_before, n_past, n_cells);
}

bool llama_retain_refilled(llama_context * ctx, uint32_t n_before, uint32_t n_past, uint32_t n_cells) {
    return llama_retain::refilled(ctx, n_before, n_past, n_cells);
}

size_t llama_retain_get_layer(llama_context * ctx, uint32_t il, uint32_t n_cells, uint8_t * data) {
    return llama_retain::get_layer(ctx, il, n_cells, data);
}

uint32_t llama_retain_get_cells(const llama_context * ctx, bool sliding, int32_t * positions) {
    return llama_retain::get_cells(ctx, sliding, positions);
}

bool llama_retain_set_layer(llama_context * ctx, uint32_t il, const uint32_t * positions, const uint32_t * n_kept, uint32_t n_tokens,
        const uint8_t * data, size_t size, uint32_t n_stored, uint32_t n_cells) {
    return llama_retain::set_layer(ctx, il, positions, n_kept, n_tokens, data, size, n_stored, n_cells);
}

bool llama_retain_set_cells(llama_context * ctx, uint32_t n_tokens, uint32_t n_cells, const int32_t * sliding, uint32_t n_sliding) {
    return llama_retain::set_cells(ctx, n_tokens, n_cells, sliding, n_sliding);
}
