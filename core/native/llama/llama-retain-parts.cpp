// What is computed with the rows of K and V where they lie, some at a time

#include "llama-retain-impl.h"

#include <algorithm>

// CUDA multiplies blocks of rows by itself, and leaves others to cuBLAS: a few more than asked for are staged there
static int64_t row_block(bool on_host) {
    return on_host ? 1 : 64;
}

int64_t llama_retain::padded_rows(const ggml_tensor * staged, int64_t n_rows) {
    return std::min<int64_t>(GGML_PAD(n_rows, row_block(ggml_backend_buffer_is_host(staged->buffer))), staged->ne[1]);
}

llama_retain_made::result * llama_retain::made_of(const llama_context * ctx, const ggml_tensor * staged, uint32_t n_rows) {
    const auto & all = ctx->retain_made;
    if (!all || all->n_rows != n_rows) {
        return nullptr;
    }
    const auto it = all->results.find(staged);
    return it == all->results.end() ? nullptr : &it->second;
}

bool llama_retain::by_parts(llama_context * ctx, const ggml_tensor * staged, int64_t n_rows, int64_t n_between, int64_t n_made,
        const std::function<ggml_tensor *(ggml_context *, ggml_cgraph *, ggml_tensor *)> & build, float * out) {
    auto * buft = ggml_backend_buffer_get_type(staged->buffer);
    const auto    device  = backend(ctx, buft);
    const bool    on_host = ggml_backend_buft_is_host(buft);
    auto *        made    = made_of(ctx, staged, n_rows);
    const int64_t n_block = row_block(on_host);
    const int64_t n_all   = padded_rows(staged, n_rows);
    const int64_t n_most  = on_host ? (1 << 17)/(staged->ne[0] + n_between) : (8 << 20)/n_between;
    const int64_t n_step  = std::max(n_block, n_most/n_block*n_block);
    const size_t  n_node  = 64;
    // a device goes from part to part by itself, and the host waits for it once
    const float * ready = made && out ? fetched(ctx, made->t) : nullptr;
    float * values = on_host || !out || ready ? nullptr : read_buffer(ctx, buft, n_all*n_made*sizeof(float));
    if (!device || (!made && !spare_mask(ctx)) || (!on_host && out && !ready && !values)) {
        return false;
    }
    const auto take = [&](const float * from, int64_t start, int64_t n) {
        for (int64_t i = 0; i < n_made; ++i) {
            std::copy_n(from + i*n, std::min(n, n_rows - start), out + i*n_rows + start);
        }
    };
    const auto take_all = [&] {
        for (int64_t start = 0; start < n_all; start += n_step) {
            take((ready ? ready : values) + start*n_made, start, std::min(n_step, n_all - start));
        }
        return true;
    };
    if (ready) {
        return take_all();
    }
    if (made && out) {
        ggml_backend_event_synchronize(made->done.get());
        ggml_backend_tensor_get(made->t, values, 0, ggml_nbytes(made->t));
        return take_all();
    }
    std::vector<ggml_context_ptr> under_way;
    for (int64_t start = 0; start < n_all; start += n_step) {
        const int64_t n = std::min(n_step, n_all - start);
        ggml_init_params params = { n_node*ggml_tensor_overhead() + ggml_graph_overhead_custom(n_node, false), nullptr, true };
        ggml_context_ptr tensors(ggml_init(params));
        auto * c = tensors.get();

        ggml_tensor * rows = alias(c, staged, staged->type, staged->ne[0], n, 1, n*staged->nb[1]);
        rows->data = (char *) rows->data + start*staged->nb[1];
        ggml_cgraph * graph = ggml_new_graph_custom(c, n_node, false);
        ggml_tensor * cur = build(c, graph, rows);
        ggml_build_forward_expand(graph, cur);
        if (made) {
            cur->buffer = made->t->buffer;
            cur->data   = (float *) made->t->data + start*n_made;
        }
        if (!compute(ctx, buft, graph)) {
            return false;
        }
        if (on_host) {
            take((const float *) cur->data, start, n);
        } else if (made) {
            ctx->retain_made->graphs.push_back(std::move(tensors));
        } else {
            ggml_backend_tensor_get_async(device, cur, values + start*n_made, 0, ggml_nbytes(cur));
            under_way.push_back(std::move(tensors));
        }
    }
    if (made) {
        ggml_backend_event_record(made->done.get(), device);
        return true;
    }
    ggml_backend_synchronize(device);
    return on_host || take_all();
}
