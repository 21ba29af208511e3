// Rows of K and V, or of hidden states: gathered from others, summed up; and memory for what is computed with them where they lie

#include "llama-retain-impl.h"

#include <algorithm>
#include <cstring>
#include <thread>

void llama_retain::share(int n_threads, int64_t n, const std::function<void(int64_t)> & each) {
    const int64_t n_used = std::min<int64_t>(n_threads, n);
    const auto of_thread = [&](int64_t thread) {
        for (int64_t i = thread; i < n; i += n_used) {
            each(i);
        }
    };
    std::vector<std::thread> threads;
    for (int64_t thread = 1; thread < n_used; ++thread) {
        threads.emplace_back(of_thread, thread);
    }
    of_thread(0);
    for (auto & thread : threads) {
        thread.join();
    }
}

const uint8_t * llama_retain::on_host(const ggml_tensor * t, std::vector<uint8_t> & copy) {
    if (ggml_backend_buffer_is_host(t->buffer)) {
        return (const uint8_t *) t->data;
    }
    copy.resize(ggml_nbytes(t));
    ggml_backend_tensor_get(t, copy.data(), 0, copy.size());
    return copy.data();
}

ggml_tensor * llama_retain::alias(ggml_context * ctx, const ggml_tensor * t, ggml_type type, int64_t ne0, int64_t ne1, int64_t ne2, size_t nb2) {
    ggml_tensor * out = ggml_new_tensor_3d(ctx, type, ne0, ne1, ne2);
    out->nb[1]  = t->nb[1];
    out->nb[2]  = nb2;
    out->nb[3]  = t->nb[1]*ne1;
    out->buffer = t->buffer;
    out->data   = t->data;
    return out;
}

ggml_backend_t llama_retain::backend(const llama_context * ctx, ggml_backend_buffer_type_t buft) {
    if (ggml_backend_buft_is_host(buft)) {
        return ctx->backend_cpu;
    }
    const auto at = std::find_if(ctx->backends.begin(), ctx->backends.end(), [&](const auto & backend) {
        return ggml_backend_get_device(backend.get()) == ggml_backend_buft_get_device(buft);
    });
    return at == ctx->backends.end() ? nullptr : at->get();
}

bool llama_retain::compute(llama_context * ctx, ggml_backend_buffer_type_t buft, ggml_cgraph * graph, const std::function<void()> & set) {
    const auto device = backend(ctx, buft);
    auto & alloc = ctx->retain_scratch.graphs[buft];
    if (!alloc) {
        alloc.reset(ggml_gallocr_new(buft));
    }
    if (!device || !ggml_gallocr_alloc_graph(alloc.get(), graph)) {
        return false;
    }
    if (ctx->retain_made && ctx->retain_made->laying_out) {
        return true;
    }
    if (set) {
        set();
    }
    return ggml_backend_graph_compute_async(device, graph) == GGML_STATUS_SUCCESS;
}

bool llama_retain::place_inputs(llama_context * ctx, ggml_context * tensors, ggml_backend_buffer_type_t buft) {
    const auto each = [&](const std::function<void(ggml_tensor *)> & what) {
        for (auto * t = ggml_get_first_tensor(tensors); t; t = ggml_get_next_tensor(tensors, t)) {
            what(t);
        }
    };
    size_t size = 0;
    each([&](ggml_tensor * t) {
        size += t->view_src || t->data ? 0 : GGML_PAD(ggml_backend_buft_get_alloc_size(buft, t), ggml_backend_buft_get_alignment(buft));
    });
    auto & buffer = ctx->retain_scratch.inputs[buft];
    if (!buffer || ggml_backend_buffer_get_size(buffer.get()) < size) {
        buffer.reset();
        buffer.reset(ggml_backend_buft_alloc_buffer(buft, size));
    }
    if (!buffer) {
        return false;
    }
    auto alloc = ggml_tallocr_new(buffer.get());
    each([&](ggml_tensor * t) {
        if (t->view_src) {
            ggml_backend_view_init(t);
        } else if (!t->data) {
            ggml_tallocr_alloc(&alloc, t);
        }
    });
    return true;
}

float * llama_retain::read_buffer(llama_context * ctx, ggml_backend_buffer_type_t buft, size_t size) {
    return read_buffer(ctx->retain_read_buf, buft, size);
}

float * llama_retain::read_buffer(ggml_backend_buffer_ptr & buffer, ggml_backend_buffer_type_t buft, size_t size) {
    if (!buffer || ggml_backend_buffer_get_size(buffer.get()) < size) {
        auto * dev  = ggml_backend_buft_get_device(buft);
        auto * host = dev ? ggml_backend_dev_host_buffer_type(dev) : nullptr;
        buffer.reset();
        buffer.reset(ggml_backend_buft_alloc_buffer(host ? host : ggml_backend_cpu_buffer_type(), size));
    }
    return buffer ? (float *) ggml_backend_buffer_get_base(buffer.get()) : nullptr;
}

ggml_tensor * llama_retain_sum(ggml_context * ctx, ggml_cgraph * graph, ggml_tensor * t, int64_t n_apart) {
    // views of the last sum and not of t: a view that nothing follows is one that the allocator never sees the end of, and t
    // would keep its place to the end of the graph
    ggml_tensor * last = t;
    const auto rows = [&](int64_t from, int64_t n) {
        return ggml_view_3d(ctx, last, t->ne[0], n*n_apart, t->ne[2], t->nb[1], t->nb[2], from*n_apart*t->nb[1]);
    };
    int64_t n = t->ne[1]/n_apart;
    for (; n > 2; n -= n/2) {
        last = ggml_add_inplace(ctx, rows(0, n/2), rows(n - n/2, n/2));
        ggml_build_forward_expand(graph, last);
    }
    return n == 2 ? ggml_add(ctx, rows(0, 1), rows(1, 1)) : t;
}

// gather() where the cache lies: staging of a long document is hundreds of MiB, which would cross to the host and back.
// false: the device cannot, or has no room for what is under way
static bool gather_on_device(llama_context * ctx, const llama_retain::heads & from_heads, const llama_retain::heads & to_heads, uint32_t n_head,
        const std::vector<int32_t> * rows, const ggml_tensor * there, size_t first) {
    const auto * src = from_heads.t;
    auto *       dst = to_heads.t;
    auto * buft = ggml_backend_buffer_get_type(dst->buffer);
    const auto device = llama_retain::backend(ctx, buft);
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
    if (there) {
        ids->buffer = there->buffer;
        ids->data   = (int32_t *) there->data + first;
    }
    ggml_tensor * from = llama_retain::alias(c, src, type_src, n_part, src->ne[1], n_head, part_src);
    ggml_tensor * to   = llama_retain::alias(c, dst, type_dst, n_part, n_rows,     n_head, part_dst);
    from->data = (char *) from->data + from_heads.offset();
    to->data   = (char *) to->data   + to_heads.offset();
    ggml_tensor * got  = ggml_get_rows(c, from, ids);
    ggml_tensor * put  = ggml_cpy(c, got, to);
    if (!ggml_backend_supports_op(device, got) || !ggml_backend_supports_op(device, put)) {
        return false;
    }

    ggml_cgraph * graph = ggml_new_graph_custom(c, 8, false);
    ggml_build_forward_expand(graph, put);
    if (there) {
        return llama_retain::compute(ctx, buft, graph);
    }
    std::vector<int32_t> all;
    for (uint32_t h = 0; h < n_head; ++h) {
        all.insert(all.end(), rows[h].begin(), rows[h].end());
    }
    const bool done = llama_retain::compute(ctx, buft, graph, [&] { ggml_backend_tensor_set(ids, all.data(), 0, ggml_nbytes(ids)); });
    ggml_backend_synchronize(device);
    return done;
}

bool llama_retain::gather(llama_context * ctx, const heads & from_heads, const heads & to_heads, uint32_t n_head, const std::vector<int32_t> * rows,
        const ggml_tensor * ids, size_t first) {
    const auto * src = from_heads.t;
    auto *       dst = to_heads.t;
    if (!ggml_backend_buffer_is_host(dst->buffer) && !ggml_backend_buffer_is_host(src->buffer) &&
            gather_on_device(ctx, from_heads, to_heads, n_head, rows, ids, first)) {
        return ids != nullptr;
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
    return false;
}
