// The attention that keys can expect from queries after the document (Expected Attention, arXiv 2510.00636)

#include "llama-retain-impl.h"

#include <algorithm>
#include <cmath>
#include <numeric>

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

// a = l*l^T but for a hundredth of its trace: the columns of l, the one that takes most off the trace first. Turned by
// many positions at a time, queries vary in fewer directions. `a` is symmetric, n x n
static std::vector<std::vector<double>> cholesky(const std::vector<double> & a, int64_t n) {
    std::vector<double> left(n);
    for (int64_t i = 0; i < n; ++i) {
        left[i] = std::max(0.0, a[i*n + i]);
    }
    const double trace = std::accumulate(left.begin(), left.end(), 0.0);
    std::vector<std::vector<double>> columns;
    while (int64_t(columns.size()) < n && std::accumulate(left.begin(), left.end(), 0.0) > 0.01*trace) {
        const int64_t pivot = std::max_element(left.begin(), left.end()) - left.begin();
        std::vector<double> column(a.begin() + pivot*n, a.begin() + (pivot + 1)*n);
        for (const auto & before : columns) {
            for (int64_t i = 0; i < n; ++i) {
                column[i] -= before[pivot]*before[i];
            }
        }
        const double root = std::sqrt(left[pivot]);
        for (int64_t i = 0; i < n; ++i) {
            column[i] /= root;
            left[i] = std::max(0.0, left[i] - column[i]*column[i]);
        }
        left[pivot] = 0.0;
        columns.push_back(std::move(column));
    }
    return columns;
}

struct llama_retain::expecting {
    // what a layer's queries scatter like: their mean and, as columns of l in l*l^T, their covariance, turned and scaled such
    // that k*mean + the sum of the squares of k*l is the logit that key k can expect. Of one head
    struct scatter {
        std::vector<double>              mean;
        std::vector<std::vector<double>> columns;
    };

    static scatter scatter_of(const llama_retain_queries & queries, const float * sums, const float * products, const std::vector<double> & rotation, int64_t n_embd) {
        std::vector<double> mean(sums, sums + n_embd);
        std::vector<double> covariance(n_embd*n_embd);
        for (auto & value : mean) {
            value /= queries.n;
        }
        scatter head;
        head.mean.resize(n_embd);
        for (int64_t i = 0; i < n_embd; ++i) {
            for (int64_t j = 0; j < n_embd; ++j) {
                covariance[i*n_embd + j] = double(products[i*n_embd + j])/queries.n - mean[i]*mean[j];
                head.mean[j] += queries.scale*rotation[i*n_embd + j]*mean[i];
            }
        }
        head.columns = cholesky(turn(rotation, turn(rotation, covariance, n_embd), n_embd), n_embd);
        for (auto & column : head.columns) {
            for (auto & value : column) {
                value *= queries.scale*std::sqrt(0.5);
            }
        }
        return head;
    }

    // sums and products, one behind the other
    static std::vector<float> values_of(const llama_retain_queries & queries) {
        std::vector<float> values(ggml_nelements(queries.sum) + ggml_nelements(queries.products));
        ggml_backend_tensor_get(queries.sum,      values.data(), 0, ggml_nbytes(queries.sum));
        ggml_backend_tensor_get(queries.products, values.data() + ggml_nelements(queries.sum), 0, ggml_nbytes(queries.products));
        return values;
    }

    // Of how many vectors of each query head the products with keys are computed at once. On a device no more than it has a kernel
    // of its own for (llama_retain_rows_at_once), of a few KV heads' worth in one launch; on the host all of a KV head's
    static int64_t n_at_once(ggml_backend_buffer_type_t buft, int64_t n_group) {
        return ggml_backend_buft_is_host(buft) ? 1 : std::max<int64_t>(1, 16/n_group);
    }

    // Sums and products of a layer's queries, one behind the other, become in their place what keys are multiplied with: of each
    // KV head its query heads' means, then their first columns, their second ones and so on. Returns how many columns the head
    // with the most has, and zeros up to a multiple of vectors where there is room
    static size_t vectors_of(const llama_retain_queries & queries, float * values, const std::vector<double> & rotation, int64_t n_head_kv, int n_threads) {
        const int64_t n_embd   = queries.sum->ne[1];
        const int64_t n_head   = queries.sum->ne[2];
        const int64_t n_group  = n_head/n_head_kv;
        const float * products = values + ggml_nelements(queries.sum);

        std::vector<scatter> heads(n_head);
        share(n_threads, n_head, [&](int64_t h) {
            heads[h] = scatter_of(queries, values + h*n_embd, products + h*n_embd*n_embd, rotation, n_embd);
        });

        size_t n_columns = 1;
        for (const auto & head : heads) {
            n_columns = std::max(n_columns, head.columns.size());
        }
        const size_t n_few    = n_at_once(ggml_backend_buffer_get_type(queries.sum->buffer), n_group);
        const size_t n_padded = (n_columns + n_few)/n_few*n_few - 1;
        n_columns = n_padded <= size_t(n_embd) ? n_padded : n_columns;
        std::fill_n(values, n_head*(1 + n_columns)*n_embd, 0.0f);
        for (int64_t h = 0; h < n_head; ++h) {
            float * into = values + (h/n_group*(1 + n_columns)*n_group + h%n_group)*n_embd;
            std::copy(heads[h].mean.begin(), heads[h].mean.end(), into);
            for (const auto & column : heads[h].columns) {
                into += n_group*n_embd;
                std::copy(column.begin(), column.end(), into);
            }
        }
        return n_columns;
    }

    static void expect(llama_context * ctx, int32_t first, uint32_t n_future) {
        ctx->retain_expecting.reset();
        auto ahead = std::make_unique<llama_retain_expecting>();
        struct task {
            const llama_retain_queries * queries;
            int64_t                      n_head_kv;
            size_t *                     n_columns;
        };
        std::vector<task> tasks;
        std::map<ggml_backend_t, ggml_backend_event_ptr> read;
        for (const auto & [il, queries] : ctx->retain_queries) {
            auto * buft = ggml_backend_buffer_get_type(queries.sum->buffer);
            if (queries.n == 0 || ggml_backend_buft_is_host(buft)) {
                continue;
            }
            const auto device = backend(ctx, buft);
            auto & event = read[device];
            if (device && !event) {
                event.reset(ggml_backend_event_new(ggml_backend_get_device(device)));
            }
            if (!event) {
                return;
            }
            tasks.push_back({ &queries, ctx->model.hparams.n_head_kv(il), &ahead->n_columns[il] });
        }
        if (tasks.empty()) {
            return;
        }
        for (auto & [device, event] : read) {
            ggml_backend_event_record(event.get(), device);
            ahead->read.push_back(std::move(event));
        }
        ahead->first = first;
        ahead->n     = n_future;
        ahead->done  = std::async(std::launch::async, [ctx, ahead = ahead.get(), tasks] {
            for (const auto & event : ahead->read) {
                ggml_backend_event_synchronize(event.get());
            }
            for (const auto & task : tasks) {
                const auto rotation = mean_rotation(ctx, *task.queries, task.queries->sum->ne[1], ahead->first, ahead->n);
                if (!rotation) {
                    return;
                }
                auto values = values_of(*task.queries);
                *task.n_columns = vectors_of(*task.queries, values.data(), *rotation, task.n_head_kv, ctx->cparams.n_threads_batch);
                ggml_tensor whole = *task.queries->sum; // and the products behind it
                whole.ne[0] = values.size();
                whole.ne[1] = whole.ne[2] = 1;
                ggml_backend_tensor_set(&whole, values.data(), 0, values.size()*sizeof(float));
            }
        });
        ctx->retain_expecting = std::move(ahead);
    }

    static bool expected(llama_context * ctx, uint32_t il, uint32_t n_rows, int32_t first, uint32_t n_future, float * logits) {
        const auto & kv = cache(ctx);
        const auto * keys = staging(ctx, il, false, n_rows);
        const auto it = ctx->retain_queries.find(il);
        if (!keys || it == ctx->retain_queries.end()) {
            return false;
        }
        if (!made_of(ctx, keys, n_rows)) {
            ctx->synchronize();
        }
        const auto &  queries   = it->second;
        const int64_t n_head_kv = kv.hparams.n_head_kv(il);
        const int64_t n_group   = kv.hparams.n_head(il)/n_head_kv;
        const int64_t n_embd    = keys->ne[0]/n_head_kv;

        int64_t n_columns = 0;
        std::vector<float> values; // empty: they lie where the queries were
        const auto * ahead = ctx->retain_expecting.get();
        if (ahead) {
            ahead->done.wait();
        }
        if (ahead && ahead->n_columns.count(il)) {
            n_columns = ahead->n_columns.at(il);
            if (n_columns == 0 || ahead->first != first || ahead->n != n_future) {
                return false;
            }
        } else {
            const auto rotation = mean_rotation(ctx, queries, n_embd, first, n_future);
            if (!rotation) {
                return false;
            }
            values    = values_of(queries);
            n_columns = vectors_of(queries, values.data(), *rotation, n_head_kv, ctx->cparams.n_threads_batch);
        }

        auto * buft = ggml_backend_buffer_get_type(keys->buffer);
        const int64_t n_vectors = 1 + n_columns;
        const int64_t n_few     = n_at_once(buft, n_group);
        const int64_t n_part    = n_few > 1 && n_vectors%n_few == 0 ? n_few : n_vectors;
        ggml_init_params params = { 8*ggml_tensor_overhead() + ggml_graph_overhead(), nullptr, true };
        ggml_context_ptr inputs(ggml_init(params));
        ggml_tensor * t_vectors = ggml_new_tensor_3d(inputs.get(), GGML_TYPE_F32, n_embd, n_vectors*n_group, n_head_kv);
        if (values.empty()) {
            t_vectors->buffer = queries.sum->buffer;
            t_vectors->data   = queries.sum->data;
        }
        ggml_tensor * t_rot    = kv.build_input_k_rot(inputs.get());
        ggml_tensor * t_turned = t_rot ? llama_mul_mat_hadamard(inputs.get(), t_vectors, t_rot) : t_vectors; // as keys are stored
        if (!place_inputs(ctx, inputs.get(), buft)) {
            return false;
        }
        if (!values.empty()) {
            ggml_backend_tensor_set(t_vectors, values.data(), 0, ggml_nbytes(t_vectors));
        }
        if (t_rot) {
            ggml_backend_tensor_set(t_rot, kv.attn_rot_hadamard.at(t_rot->ne[0]).data(), 0, ggml_nbytes(t_rot));
            ggml_cgraph * graph = ggml_new_graph_custom(inputs.get(), 8, false);
            ggml_build_forward_expand(graph, t_turned);
            const auto device = backend(ctx, buft);
            if (!device || ggml_backend_graph_compute(device, graph) != GGML_STATUS_SUCCESS) {
                return false;
            }
        }

        return by_parts(ctx, keys, n_rows, ggml_nrows(t_vectors), n_head_kv*n_group, [&](ggml_context * c, ggml_cgraph * graph, ggml_tensor * rows) {
            const size_t head = n_embd*ggml_element_size(rows);
            ggml_tensor * k = ggml_view_4d(c, rows, n_embd, rows->ne[1], 1, n_head_kv, rows->nb[1], head, head, 0);
            // vectors in f16, as keys are and queries in attention
            ggml_tensor * all = ggml_mul_mat(c, k, ggml_reshape_4d(c, t_turned, n_embd, n_part*n_group, n_vectors/n_part, n_head_kv));
            ggml_prec_set_acc(all, GGML_PREC_F32);
            all = ggml_reshape_3d(c, all, all->ne[0], n_vectors*n_group, n_head_kv);
            const auto vectors_from = [&](int64_t from, int64_t n) {
                return ggml_view_3d(c, all, all->ne[0], n*n_group, n_head_kv, all->nb[1], all->nb[2], from*n_group*all->nb[1]);
            };
            ggml_tensor * squares = vectors_from(1, n_columns);
            squares = ggml_mul_inplace(c, squares, squares); // ggml_sqr takes one thread on the CPU
            return ggml_add(c, vectors_from(0, 1), llama_retain_sum(c, graph, squares, n_group)); // [rows, n_group, n_head_kv]
        }, logits);
    }
};

void llama_retain_expect(llama_context * ctx, int32_t first, uint32_t n_future) {
    llama_retain::expecting::expect(ctx, first, n_future);
}

bool llama_retain_expected(llama_context * ctx, uint32_t il, uint32_t n_rows, int32_t first, uint32_t n_future, float * logits) {
    return llama_retain::expecting::expected(ctx, il, n_rows, first, n_future, logits);
}
