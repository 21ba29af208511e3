#include "llama-retain.h"

#include "llama-context.h"
#include "llama-impl.h"
#include "llama-kv-cache-iswa.h"
#include "llama-model.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

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

bool llama_retain_can_write(const llama_model * model) {
    return !llama_model_has_encoder(model) && model->hparams.causal_attn;
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

    static size_t bytes(const llama_kv_cache::kv_layer & layer) {
        return (layer.own_buf_k ? ggml_nbytes(layer.k) : 0) + (layer.own_buf_v ? ggml_nbytes(layer.v) : 0);
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

    // a tensor with rows like old's on its device, but n_rows of them and of another type; nullptr: no memory
    static ggml_tensor * alloc(const ggml_tensor * old, ggml_type type, uint32_t n_rows,
            std::shared_ptr<ggml_context> & own_ctx, std::shared_ptr<ggml_backend_buffer> & own_buf) {
        ggml_init_params params = { ggml_tensor_overhead(), nullptr, true };
        own_ctx.reset(ggml_init(params), ggml_free);

        ggml_tensor * fresh = ggml_new_tensor_3d(own_ctx.get(), type, old->ne[0], n_rows, 1);
        ggml_set_name(fresh, old->name);

        auto * buf = ggml_backend_alloc_ctx_tensors_from_buft(own_ctx.get(), ggml_backend_buffer_get_type(old->buffer));
        own_buf.reset(buf, ggml_backend_buffer_free);
        if (!buf) {
            return nullptr;
        }
        // cells that are not used yet are masked, but must not be NaN
        ggml_backend_buffer_clear(buf, 0);
        return fresh;
    }

    // new tensors of n_rows rows on the layer's device, not yet the layer's
    static bool alloc(const llama_kv_cache::kv_layer & old, ggml_type type_k, ggml_type type_v, uint32_t n_rows, llama_kv_cache::kv_layer & out) {
        out.il = old.il;
        out.k  = alloc(old.k, type_k, n_rows, out.own_ctx_k, out.own_buf_k);
        out.v  = out.k ? alloc(old.v, type_v, n_rows, out.own_ctx_v, out.own_buf_v) : nullptr;
        out.k_stream = { out.k };
        out.v_stream = { out.v };
        return out.v != nullptr;
    }

    // puts the layer's K and V into tensors of n_rows rows, which copy(from, to) fills. K goes before V is copied: at most
    // one of the two exists twice. false: no memory
    template <typename F>
    static bool replace(llama_context * ctx, llama_kv_cache::kv_layer & layer, ggml_type type_k, ggml_type type_v, uint32_t n_rows, F copy) {
        const auto one = [&](ggml_tensor *& t, ggml_tensor *& stream, ggml_type type,
                std::shared_ptr<ggml_context> & layer_ctx, std::shared_ptr<ggml_backend_buffer> & layer_buf) {
            std::shared_ptr<ggml_context>        own_ctx;
            std::shared_ptr<ggml_backend_buffer> own_buf;

            ggml_tensor * fresh = alloc(t, type, n_rows, own_ctx, own_buf);
            if (!fresh) {
                return false;
            }
            count(ctx, ggml_nbytes(fresh));
            copy(t, fresh);
            t = stream = fresh;
            layer_buf = std::move(own_buf);
            layer_ctx = std::move(own_ctx);
            return true;
        };
        return one(layer.k, layer.k_stream[0], type_k, layer.own_ctx_k, layer.own_buf_k) &&
               one(layer.v, layer.v_stream[0], type_v, layer.own_ctx_v, layer.own_buf_v);
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

    // gather() where the cache lies: staging of a long document is hundreds of MiB, which would cross to the host and back.
    // ids: [n_head][n_rows]. false: the device cannot, or has no room for what is under way
    static bool gather_on_device(llama_context * ctx, const ggml_tensor * src, ggml_tensor * dst, uint32_t n_head, uint32_t n_rows,
            const std::vector<int32_t> & ids) {
        auto * buft = ggml_backend_buffer_get_type(dst->buffer);
        const auto device = backend(ctx, buft);
        if (!device) {
            return false;
        }

        ggml_init_params params = { 16*ggml_tensor_overhead() + ggml_graph_overhead(), nullptr, true };
        ggml_context_ptr tensors(ggml_init(params));
        auto * c = tensors.get();

        // what keeps its type is moved as words, whatever they mean
        const size_t part_src = src->nb[1]/n_head;
        const size_t part_dst = dst->nb[1]/n_head;
        const bool   words    = src->type == dst->type && part_src%sizeof(int32_t) == 0;
        const auto   type_src = words ? GGML_TYPE_I32 : src->type;
        const auto   type_dst = words ? GGML_TYPE_I32 : dst->type;
        const int64_t n_part  = words ? part_src/sizeof(int32_t) : src->ne[0]/n_head;

        ggml_tensor * rows = ggml_new_tensor_2d(c, GGML_TYPE_I32, n_rows, n_head);
        ggml_set_input(rows);
        ggml_tensor * from = alias(c, src, type_src, n_part, src->ne[1], n_head, part_src);
        ggml_tensor * to   = alias(c, dst, type_dst, n_part, n_rows,     n_head, part_dst);
        ggml_tensor * got  = ggml_get_rows(c, from, rows);
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
        ggml_backend_tensor_set(rows, ids.data(), 0, ggml_nbytes(rows));
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

    // rows [0, n_rows) of dst from rows of src, chosen per head: row(head, r). f16 may become a quantised type; a block
    // never spans two heads, and what is quantised already is copied bit by bit
    template <typename F>
    static void gather(llama_context * ctx, const ggml_tensor * src, ggml_tensor * dst, uint32_t n_head, uint32_t n_rows, F row) {
        if (!ggml_backend_buffer_is_host(dst->buffer)) {
            std::vector<int32_t> ids(size_t(n_head)*n_rows);
            for (size_t i = 0; i < ids.size(); ++i) {
                ids[i] = row(i/n_rows, i%n_rows);
            }
            if (gather_on_device(ctx, src, dst, n_head, n_rows, ids)) {
                return;
            }
        }

        std::vector<uint8_t> copy_src;
        std::vector<uint8_t> copy_dst;

        const uint8_t * from = on_host(src, copy_src);
        const bool      host = ggml_backend_buffer_is_host(dst->buffer);
        if (!host) {
            copy_dst.resize(ggml_nbytes(dst));
        }
        uint8_t * to = host ? (uint8_t *) dst->data : copy_dst.data();

        const int64_t n_embd   = src->ne[0]/n_head;
        const size_t  src_row  = src->nb[1];
        const size_t  dst_row  = dst->nb[1];
        const size_t  src_part = src_row/n_head;
        const size_t  dst_part = dst_row/n_head;
        std::vector<float> values(n_embd);
        for (uint32_t r = 0; r < n_rows; ++r) {
            for (uint32_t h = 0; h < n_head; ++h) {
                const uint8_t * part = from + row(h, r)*src_row + h*src_part;
                uint8_t *       into = to + r*dst_row + h*dst_part;
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
        kv.v_cells[0].resize(n_cells);
        kv.v_heads[0] = 0;
    }

    static void changed(llama_context * ctx, uint32_t il_begin, uint32_t il_end) {
        auto & kv = cache(ctx);
        kv.retain_begin = ctx->cparams.retain_begin = il_begin;
        kv.retain_end   = ctx->cparams.retain_end   = il_end;
        ctx->cparams.retain_gen++;

        auto & flags = ctx->cparams.embeddings_layer_inp;
        std::fill(flags.begin(), flags.end(), false);
        if (il_end < ctx->model.hparams.n_layer() && !ctx->cparams.retain_reading) {
            flags[il_end] = true;
        }
    }

    static bool hold(llama_context * ctx, ggml_type type, uint32_t n_tokens) {
        ctx->synchronize();
        ctx->cparams.retain_reading = nullptr;
        ctx->retain_reading.reset();
        if (n_tokens == 0) {
            return true;
        }
        // a graph that is reserved has as many tokens as a batch can; the mask's edge is as wide as a batch, padded
        const int64_t n_batch = ctx->cparams.n_ubatch;
        const int64_t n_rows  = GGML_PAD(std::max<int64_t>(n_tokens, n_batch), n_step);
        const int64_t n_edge  = n_batch + 258;

        auto reading = std::make_unique<llama_retain_reading>();
        ggml_init_params params = { 4*ggml_tensor_overhead(), nullptr, true };
        reading->tensors.reset(ggml_init(params));
        reading->hidden = ggml_new_tensor_2d(reading->tensors.get(), type, ctx->model.hparams.n_embd, n_rows);
        reading->mask   = ggml_new_tensor_1d(reading->tensors.get(), GGML_TYPE_F16, n_rows*n_batch);
        reading->edge   = ggml_new_tensor_2d(reading->tensors.get(), GGML_TYPE_F16, n_edge, n_batch);
        reading->zero   = ggml_new_tensor_2d(reading->tensors.get(), GGML_TYPE_F16, n_edge, n_batch);
        auto * buft = ggml_backend_buffer_get_type(holder(ctx, 0).layers[0].k->buffer);
        reading->buffer.reset(ggml_backend_alloc_ctx_tensors_from_buft(reading->tensors.get(), buft));
        if (!reading->buffer) {
            return false;
        }
        ggml_backend_buffer_clear(reading->buffer.get(), 0);
        std::vector<ggml_fp16_t> edge(n_edge*n_batch, ggml_fp32_to_fp16(0.0f));
        for (int64_t i = 0; i < n_batch; ++i) {
            std::fill(edge.begin() + i*n_edge + i + 1, edge.begin() + (i + 1)*n_edge, ggml_fp32_to_fp16(-INFINITY));
        }
        ggml_backend_tensor_set(reading->edge, edge.data(), 0, ggml_nbytes(reading->edge));
        ctx->retain_reading = std::move(reading);
        ctx->cparams.retain_reading = ctx->retain_reading.get();
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
            llama_kv_cache::kv_layer fresh = {};
            const bool final = plain || &kv == small;
            if (!alloc(layer, final ? kv.retain_type_k : GGML_TYPE_F16, final ? kv.retain_type_v : GGML_TYPE_F16,
                        &kv == small ? n_small : n_cells, fresh)) {
                return false;
            }
            layer = std::move(fresh);
        }
        reset_cells(full, n_cells);
        if (small) {
            reset_cells(*small, n_small);
        }
        ctx->retain_queries.clear();
        changed(ctx, il_begin, il_end);
        count(ctx);
        return !ctx->cparams.retain_reading || reserve_batch(ctx, n_cells);
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

    static bool keep(llama_context * ctx, uint32_t il, const uint32_t * positions, uint32_t n_keep, uint32_t n_tokens, uint32_t n_window) {
        auto & kv = cache(ctx);
        ctx->synchronize();
        const auto id = kv.map_layer_ids.find(il);
        if (id == kv.map_layer_ids.end() || n_window > n_tokens) {
            return false;
        }
        auto & layer = kv.layers[id->second];
        if (!layer.own_buf_v) {
            return false;
        }
        const uint32_t n_head = kv.hparams.n_head_kv(il);
        const uint32_t first  = n_tokens - n_window;
        const bool     staged = layer.kept.empty();

        // rows of the source; staging holds position p in row p
        std::vector<std::vector<uint32_t>> rows(n_head);
        std::vector<std::vector<uint32_t>> kept(n_head);
        for (uint32_t h = 0; h < n_head; ++h) {
            kept[h].assign(positions + h*n_keep, positions + (h + 1)*n_keep);
            rows[h].resize(n_keep);
            for (uint32_t r = 0; r < n_keep; ++r) {
                const uint32_t p = kept[h][r];
                if (p >= first || (r > 0 && p <= kept[h][r - 1])) {
                    return false;
                }
                if (staged) {
                    rows[h][r] = p;
                    continue;
                }
                const auto & held = layer.kept[h];
                const auto it = std::lower_bound(held.begin(), held.end(), p);
                if (it == held.end() || *it != p) {
                    return false;
                }
                rows[h][r] = layer.n_pad + (it - held.begin());
            }
        }
        const uint32_t window = staged ? first : layer.n_prefix;

        const auto row = [&](uint32_t h, uint32_t r) -> size_t {
            return r < n_keep ? rows[h][r] : window + (r - n_keep);
        };
        if (!replace(ctx, layer, kv.retain_type_k, kv.retain_type_v, n_keep + n_window, [&](const ggml_tensor * from, ggml_tensor * to) {
                    gather(ctx, from, to, n_head, n_keep + n_window, row);
                })) {
            return false;
        }
        layer.n_prefix = n_keep;
        layer.n_pad    = 0;
        layer.kept     = std::move(kept);
        ctx->cparams.retain_gen++;
        return true;
    }

    static bool finish(llama_context * ctx, uint32_t n_tokens, uint32_t n_window) {
        auto & kv = cache(ctx);
        for (const auto & layer : kv.layers) {
            if (!layer.own_buf_v || layer.kept.empty()) {
                return false;
            }
        }
        reset_cells(kv, n_window);
        auto & cells = kv.v_cells[0];
        for (uint32_t i = 0; i < n_window; ++i) {
            cells.pos_set(i, n_tokens - n_window + i);
            cells.seq_add(i, 0);
        }
        ctx->cparams.retain_rows = 0;
        changed(ctx, 0, kv.hparams.n_layer());
        return true;
    }

    static bool reserve(llama_context * ctx, uint32_t n_cells) {
        auto & kv = cache(ctx);
        ctx->synchronize();
        auto & cells = kv.v_cells[0];
        const uint32_t n_used = cells.used_max_p1();
        const uint32_t n_prefix = kv.get_n_prefix_max();
        n_cells = std::max(n_cells, n_used);
        if (!on_host(kv)) {
            n_cells = GGML_PAD(n_prefix + n_cells, n_step) - n_prefix;
        }

        for (auto & layer : kv.layers) {
            // layers that keep less are to have such a multiple too
            const uint32_t shift = on_host(kv) ? 0 : (n_prefix - layer.n_prefix)%n_step;
            if (!layer.own_buf_v || !replace(ctx, layer, layer.k->type, layer.v->type, shift + layer.n_prefix + n_cells, [&](ggml_tensor * from, ggml_tensor * to) {
                        copy_rows(from, layer.n_pad, to, shift + layer.n_pad, layer.n_prefix - layer.n_pad + n_used);
                    })) {
                return false;
            }
            layer.n_prefix += shift;
            layer.n_pad    += shift;
        }

        std::vector<llama_pos> pos(n_used);
        for (uint32_t i = 0; i < n_used; ++i) {
            pos[i] = cells.is_empty(i) ? -1 : cells.pos_get(i);
        }
        reset_cells(kv, n_cells);
        for (uint32_t i = 0; i < n_used; ++i) {
            if (pos[i] >= 0) {
                cells.pos_set(i, pos[i]);
                cells.seq_add(i, 0);
            }
        }
        kv.v_heads[0] = n_used;
        ctx->cparams.retain_gen++;
        count(ctx);
        return true;
    }

    static void kept(const llama_context * ctx, uint32_t il, uint32_t * positions) {
        const auto & kv = cache(ctx);
        for (const auto & head : kv.layers[kv.map_layer_ids.at(il)].kept) {
            positions = std::copy(head.begin(), head.end(), positions);
        }
    }

    static size_t get_layer(llama_context * ctx, uint32_t il, uint32_t n_cells, uint8_t * data) {
        ctx->synchronize();
        const auto & kv    = holder(ctx, il);
        const auto & layer = kv.layers[kv.map_layer_ids.at(il)];
        const size_t n_rows = layer.n_prefix - layer.n_pad + n_cells;
        const size_t size_k = n_rows*layer.k->nb[1];
        const size_t size_v = n_rows*layer.v->nb[1];
        if (data) {
            ggml_backend_tensor_get(layer.k, data, layer.n_pad*layer.k->nb[1], size_k);
            ggml_backend_tensor_get(layer.v, data + size_k, layer.n_pad*layer.v->nb[1], size_v);
        }
        return size_k + size_v;
    }

    static uint32_t get_cells(const llama_context * ctx, bool is_sliding, int32_t * positions) {
        const auto * kv = is_sliding ? sliding(ctx) : &cache(ctx);
        if (!kv) {
            return 0;
        }
        const auto & cells = kv->v_cells[0];
        for (uint32_t i = 0; positions && i < cells.size(); ++i) {
            positions[i] = cells.is_empty(i) ? -1 : cells.pos_get(i);
        }
        return cells.size();
    }

    static bool set_layer(llama_context * ctx, uint32_t il, const uint32_t * positions, uint32_t n_kept, uint32_t n_tokens,
            const uint8_t * data, size_t size, uint32_t n_stored, uint32_t n_cells) {
        auto & kv    = holder(ctx, il);
        auto & layer = kv.layers[kv.map_layer_ids.at(il)];
        const bool     small  = &kv == sliding(ctx);
        const uint32_t n_head = kv.hparams.n_head_kv(il);

        std::vector<std::vector<uint32_t>> kept(small ? 0 : n_head);
        for (auto & head : kept) {
            head.assign(positions, positions + n_kept);
            positions += n_kept;
            for (uint32_t r = 0; r < n_kept; ++r) {
                if (head[r] >= n_tokens || (r > 0 && head[r] <= head[r - 1])) {
                    return false;
                }
            }
        }
        const size_t row_k = ggml_row_size(kv.retain_type_k, layer.k->ne[0]);
        const size_t row_v = ggml_row_size(kv.retain_type_v, layer.v->ne[0]);
        if (size != (n_kept + n_stored)*(row_k + row_v) || n_cells > n_stored || (small && (n_kept > 0 || n_stored != kv.get_size()))) {
            return false;
        }

        llama_kv_cache::kv_layer next = {};
        const uint32_t n_rows = n_kept + (small ? n_stored : n_cells);
        if (!alloc(layer, kv.retain_type_k, kv.retain_type_v, n_rows, next)) {
            return false;
        }
        ggml_backend_tensor_set(next.k, data, 0, n_rows*row_k);
        ggml_backend_tensor_set(next.v, data + (n_kept + n_stored)*row_k, 0, n_rows*row_v);
        next.n_prefix = n_kept;
        next.kept     = std::move(kept);
        layer = std::move(next);
        count(ctx);
        return true;
    }

    static bool set_cells(llama_context * ctx, uint32_t n_tokens, uint32_t n_cells, const int32_t * positions, uint32_t n_positions) {
        auto * small = sliding(ctx);
        if (n_positions != (small ? small->get_size() : 0) || !finish(ctx, n_tokens + n_cells, n_cells)) {
            return false;
        }
        if (!small) {
            return true;
        }
        reset_cells(*small, n_positions);
        auto & cells = small->v_cells[0];
        const llama_pos end   = n_tokens + n_cells;
        const llama_pos begin = std::max<llama_pos>(0, end + 1 - (llama_pos) small->hparams.n_swa);
        llama_pos n_seen = 0;
        for (uint32_t i = 0; i < n_positions; ++i) {
            if (positions[i] >= 0 && positions[i] < end) {
                cells.pos_set(i, positions[i]);
                cells.seq_add(i, 0);
                n_seen += positions[i] >= begin;
                if (positions[i] == end - 1) {
                    small->v_heads[0] = (i + 1)%n_positions;
                }
            }
        }
        return n_seen >= end - begin;
    }

    static size_t memory_bytes(const llama_context * ctx) {
        size_t total = 0;
        for (const auto & [buft, size] : ctx->memory->memory_breakdown()) {
            total += size;
        }
        return total;
    }

    static size_t compute_bytes(const llama_context * ctx) {
        size_t total = 0;
        for (const auto & backend : ctx->backends) {
            total += ggml_backend_sched_get_buffer_size(ctx->sched.get(), backend.get());
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
        return layer.own_buf_v && layer.kept.empty() && t->type == GGML_TYPE_F16 && n_rows <= t->ne[1] ? t : nullptr;
    }

    static uint32_t rows(llama_context * ctx, uint32_t il, bool values, uint32_t n_rows, float * out) {
        ctx->synchronize();
        const auto * t = staging(ctx, il, values, n_rows);
        if (!t) {
            return 0;
        }
        const uint32_t n_head = cache(ctx).hparams.n_head_kv(il);
        const uint32_t n_embd = t->ne[0]/n_head;
        if (out) {
            std::vector<uint8_t> copy;
            const uint8_t * data = on_host(t, copy);
            for (uint32_t h = 0; h < n_head; ++h) {
                for (uint32_t r = 0; r < n_rows; ++r, out += n_embd) {
                    ggml_fp16_to_fp32_row((const ggml_fp16_t *) (data + r*t->nb[1]) + h*n_embd, out, n_embd);
                }
            }
        }
        return n_embd;
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

    static bool flash_attn(const llama_context * ctx) {
        return ctx->cparams.flash_attn;
    }

    static const float * hidden(llama_context * ctx) {
        ctx->synchronize();
        return ctx->get_embeddings_layer_inp(ctx->cparams.retain_end);
    }

    static const float * observed(llama_context * ctx, uint32_t il, uint32_t what, uint32_t * n_kv) {
        ctx->synchronize();
        const auto it = ctx->retain_read.find({ il, what });
        if (it == ctx->retain_read.end()) {
            return nullptr;
        }
        *n_kv = it->second.size()/ctx->model.hparams.n_head(il);
        return it->second.data();
    }
};

bool llama_retain_flash_attn(const llama_context * ctx) {
    return llama_retain::flash_attn(ctx);
}

bool llama_retain_hold(llama_context * ctx, ggml_type type, uint32_t n_tokens) {
    return llama_retain::hold(ctx, type, n_tokens);
}

bool llama_retain_on_host(const llama_context * ctx) {
    return llama_retain::on_host(llama_retain::cache(ctx));
}

bool llama_retain_begin(llama_context * ctx, uint32_t il_begin, uint32_t il_end, uint32_t n_cells, bool plain) {
    return llama_retain::begin(ctx, il_begin, il_end, n_cells, plain);
}

void llama_retain_observe(llama_context * ctx, uint32_t what, uint32_t n_rows) {
    llama_retain::observe(ctx, what, n_rows);
}

uint32_t llama_retain_rows(llama_context * ctx, uint32_t il, bool values, uint32_t n_rows, float * rows) {
    return llama_retain::rows(ctx, il, values, n_rows, rows);
}

bool llama_retain_expected(llama_context * ctx, uint32_t il, uint32_t n_rows, int32_t first, uint32_t n_future, float * logits) {
    return llama_retain::expected(ctx, il, n_rows, first, n_future, logits);
}

const float * llama_retain_hidden(llama_context * ctx) {
    return llama_retain::hidden(ctx);
}

const float * llama_retain_observed(llama_context * ctx, uint32_t il, uint32_t what, uint32_t * n_kv) {
    return llama_retain::observed(ctx, il, what, n_kv);
}

bool llama_retain_keep(llama_context * ctx, uint32_t il, const uint32_t * positions, uint32_t n_keep, uint32_t n_tokens, uint32_t n_window) {
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
    return llama_retain::memory_bytes(ctx);
}

size_t llama_retain_compute_bytes(const llama_context * ctx) {
    return llama_retain::compute_bytes(ctx);
}

uint32_t llama_retain_n_kept(const llama_context * ctx, uint32_t il) {
    const auto & kv = llama_retain::cache(ctx);
    return kv.get_n_prefix(il) - kv.get_n_pad(il);
}

void llama_retain_kept(const llama_context * ctx, uint32_t il, uint32_t * positions) {
    llama_retain::kept(ctx, il, positions);
}

size_t llama_retain_get_layer(llama_context * ctx, uint32_t il, uint32_t n_cells, uint8_t * data) {
    return llama_retain::get_layer(ctx, il, n_cells, data);
}

uint32_t llama_retain_get_cells(const llama_context * ctx, bool sliding, int32_t * positions) {
    return llama_retain::get_cells(ctx, sliding, positions);
}

bool llama_retain_set_layer(llama_context * ctx, uint32_t il, const uint32_t * positions, uint32_t n_kept, uint32_t n_tokens,
        const uint8_t * data, size_t size, uint32_t n_stored, uint32_t n_cells) {
    return llama_retain::set_layer(ctx, il, positions, n_kept, n_tokens, data, size, n_stored, n_cells);
}

bool llama_retain_set_cells(llama_context * ctx, uint32_t n_tokens, uint32_t n_cells, const int32_t * sliding, uint32_t n_sliding) {
    return llama_retain::set_cells(ctx, n_tokens, n_cells, sliding, n_sliding);
}
