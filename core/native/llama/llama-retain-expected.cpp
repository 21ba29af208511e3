// The attention that keys can expect from queries after the document (Expected Attention, arXiv 2510.00636)

#include "llama-retain-impl.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <thread>

// columns of n_embd elements as rotary embedding turns them at n positions from `first` on: [n_embd, columns, n]; empty: no memory.
// By the node that rotated the queries, so that every kind of rotary embedding is covered
static std::vector<float> rotate(llama_context * ctx, const llama_retain_queries & queries, int64_t n_embd, const std::vector<float> & columns, int32_t first, int64_t n) {
    ggml_init_params params = { 4*ggml_tensor_overhead() + ggml_graph_overhead(), nullptr, true };
    ggml_context_ptr tensors(ggml_init(params));
    auto * c = tensors.get();

    ggml_tensor * unturned = ggml_new_tensor_3d(c, GGML_TYPE_F32, n_embd, columns.size()/n_embd, n);
    ggml_tensor * pos      = ggml_new_tensor_1d(c, GGML_TYPE_I32, n);
    ggml_tensor * factors  = queries.factors ? ggml_dup_tensor(c, queries.factors) : nullptr;
    ggml_tensor * turned   = ggml_dup_tensor(c, unturned);
    turned->op = GGML_OP_ROPE;
    turned->src[0] = unturned;
    turned->src[1] = pos;
    turned->src[2] = factors;
    memcpy(turned->op_params, queries.rope.data(), sizeof(turned->op_params));

    const auto cpu = llama_retain::backend(ctx, ggml_backend_cpu_buffer_type());
    ggml_backend_buffer_ptr buffer(ggml_backend_alloc_ctx_tensors(c, cpu));
    if (!buffer) {
        return {};
    }
    std::vector<int32_t> at(n);
    std::iota(at.begin(), at.end(), first);
    ggml_backend_tensor_set(pos, at.data(), 0, ggml_nbytes(pos));
    for (int64_t i = 0; i < n; ++i) {
        ggml_backend_tensor_set(unturned, columns.data(), i*columns.size()*sizeof(float), columns.size()*sizeof(float));
    }
    if (factors) {
        std::vector<uint8_t> copy;
        ggml_backend_tensor_set(factors, llama_retain::on_host(queries.factors, copy), 0, ggml_nbytes(factors));
    }

    ggml_cgraph * graph = ggml_new_graph_custom(c, 8, false);
    ggml_build_forward_expand(graph, turned);
    if (ggml_backend_graph_compute(cpu, graph) != GGML_STATUS_SUCCESS) {
        return {};
    }
    std::vector<float> values(ggml_nelements(turned));
    ggml_backend_tensor_get(turned, values.data(), 0, ggml_nbytes(turned));
    return values;
}

// the mean of what rotary embedding does at n positions from `first` on, column after column; empty: no memory
static std::vector<double> mean_rotation(llama_context * ctx, const llama_retain_queries & queries, int64_t n_embd, int32_t first, uint32_t n) {
    std::vector<float> identity(n_embd*n_embd, 0.0f);
    for (int64_t i = 0; i < n_embd; ++i) {
        identity[i*n_embd + i] = 1.0f;
    }
    if (!queries.rotated) {
        return { identity.begin(), identity.end() };
    }

    // Columns whose elements go to different places can be turned as one, and a rotation mixes elements in pairs: two columns do
    // for the whole matrix. For each of them, which column of the matrix an element of the result belongs to; -1: to none
    const auto sample = rotate(ctx, queries, n_embd, identity, first + n - 1, 1);
    if (sample.empty()) {
        return {};
    }
    std::vector<std::vector<int64_t>> origins;
    std::vector<float> columns;
    for (int64_t j = 0; j < n_embd; ++j) {
        const float * column = sample.data() + j*n_embd;
        const auto has_room = [&](const std::vector<int64_t> & origin) {
            for (int64_t i = 0; i < n_embd; ++i) {
                if (column[i] != 0.0f && origin[i] >= 0) {
                    return false;
                }
            }
            return true;
        };
        const size_t k = std::find_if(origins.begin(), origins.end(), has_room) - origins.begin();
        if (k == origins.size()) {
            origins.emplace_back(n_embd, -1);
            columns.resize(columns.size() + n_embd, 0.0f);
        }
        columns[k*n_embd + j] = 1.0f;
        for (int64_t i = 0; i < n_embd; ++i) {
            if (column[i] != 0.0f) {
                origins[k][i] = j;
            }
        }
    }

    const auto turned = rotate(ctx, queries, n_embd, columns, first, n);
    std::vector<double> mean(turned.empty() ? 0 : n_embd*n_embd, 0.0);
    for (size_t at = 0; at < turned.size(); at += columns.size()) {
        for (size_t k = 0; k < origins.size(); ++k) {
            for (int64_t i = 0; i < n_embd; ++i) {
                if (origins[k][i] >= 0) {
                    mean[origins[k][i]*n_embd + i] += turned[at + k*n_embd + i]/n;
                }
            }
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

    static std::vector<scatter> scatter_of(const llama_retain_queries & queries, const std::vector<double> & rotation, int64_t n_embd, int64_t n_head, int n_threads) {
        std::vector<float> sums(ggml_nelements(queries.sum)), products(ggml_nelements(queries.products));
        ggml_backend_tensor_get(queries.sum,      sums.data(),     0, ggml_nbytes(queries.sum));
        ggml_backend_tensor_get(queries.products, products.data(), 0, ggml_nbytes(queries.products));

        std::vector<scatter> heads(n_head);
        const auto of_head = [&](int64_t h) {
            std::vector<double> mean(sums.begin() + h*n_embd, sums.begin() + (h + 1)*n_embd);
            std::vector<double> covariance(n_embd*n_embd);
            for (auto & value : mean) {
                value /= queries.n;
            }
            auto & head = heads[h];
            head.mean.resize(n_embd);
            for (int64_t i = 0; i < n_embd; ++i) {
                for (int64_t j = 0; j < n_embd; ++j) {
                    covariance[i*n_embd + j] = double(products[(h*n_embd + i)*n_embd + j])/queries.n - mean[i]*mean[j];
                    head.mean[j] += queries.scale*rotation[i*n_embd + j]*mean[i];
                }
            }
            head.columns = cholesky(turn(rotation, turn(rotation, covariance, n_embd), n_embd), n_embd);
            for (auto & column : head.columns) {
                for (auto & value : column) {
                    value *= queries.scale*std::sqrt(0.5);
                }
            }
        };
        std::vector<std::thread> threads;
        const int n_used = std::min<int>(n_threads, n_head);
        for (int thread = 1; thread < n_used; ++thread) {
            threads.emplace_back([&, thread] {
                for (int64_t h = thread; h < n_head; h += n_used) {
                    of_head(h);
                }
            });
        }
        for (int64_t h = 0; h < n_head; h += n_used) {
            of_head(h);
        }
        for (auto & thread : threads) {
            thread.join();
        }
        return heads;
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

        // most models turn all layers' queries alike
        auto & known = ctx->retain_rotation;
        if (known.mean.empty() || known.rotated != queries.rotated || known.rope != queries.rope || known.factors != queries.factors ||
            known.n_embd != n_embd || known.first != first || known.n != n_future) {
            known = { queries.rotated, queries.rope, queries.factors, n_embd, first, n_future, mean_rotation(ctx, queries, n_embd, first, n_future) };
        }
        const auto & rotation = known.mean;
        if (rotation.empty()) {
            return false;
        }

        const auto heads = scatter_of(queries, rotation, n_embd, n_head_kv*n_group, ctx->cparams.n_threads_batch);
        size_t n_columns = 1;
        for (const auto & head : heads) {
            n_columns = std::max(n_columns, head.columns.size());
        }
        // of each KV head: its query heads' means, then their first columns, their second ones and so on
        std::vector<float> vectors(n_head_kv*(1 + n_columns)*n_group*n_embd, 0.0f);
        for (int64_t h = 0; h < n_head_kv*n_group; ++h) {
            const auto & head = heads[h];
            float * into = vectors.data() + (h/n_group*(1 + n_columns)*n_group + h%n_group)*n_embd;
            std::copy(head.mean.begin(), head.mean.end(), into);
            for (const auto & column : head.columns) {
                into += n_group*n_embd;
                std::copy(column.begin(), column.end(), into);
            }
        }

        auto * buft = ggml_backend_buffer_get_type(keys->buffer);
        ggml_init_params params = { 8*ggml_tensor_overhead() + ggml_graph_overhead(), nullptr, true };
        ggml_context_ptr inputs(ggml_init(params));
        ggml_tensor * t_vectors = ggml_new_tensor_3d(inputs.get(), GGML_TYPE_F32, n_embd, (1 + n_columns)*n_group, n_head_kv);
        ggml_tensor * t_rot     = kv.build_input_k_rot(inputs.get());
        ggml_tensor * t_turned  = t_rot ? llama_mul_mat_hadamard(inputs.get(), t_vectors, t_rot) : t_vectors; // as keys are stored
        ggml_backend_buffer_ptr buffer(ggml_backend_alloc_ctx_tensors_from_buft(inputs.get(), buft));
        if (!buffer) {
            return false;
        }
        ggml_backend_tensor_set(t_vectors, vectors.data(), 0, ggml_nbytes(t_vectors));
        if (t_rot) {
            ggml_backend_tensor_set(t_rot, kv.attn_rot_hadamard.at(t_rot->ne[0]).data(), 0, ggml_nbytes(t_rot));
            ggml_cgraph * graph = ggml_new_graph_custom(inputs.get(), 8, false);
            ggml_build_forward_expand(graph, t_turned);
            const auto device = backend(ctx, buft);
            if (!device || ggml_backend_graph_compute(device, graph) != GGML_STATUS_SUCCESS) {
                return false;
            }
        }

        return by_parts(ctx, keys, n_head_kv, n_rows, ggml_nrows(t_vectors),
            [&](ggml_context * c, ggml_cgraph * graph, ggml_tensor * k) {
                // vectors in f16, as keys are and queries in attention
                ggml_tensor * all = ggml_mul_mat(c, k, t_turned);
                ggml_prec_set_acc(all, GGML_PREC_F32);
                const auto vectors_from = [&](int64_t from, int64_t n) {
                    return ggml_view_3d(c, all, all->ne[0], n*n_group, n_head_kv, all->nb[1], all->nb[2], from*n_group*all->nb[1]);
                };
                ggml_tensor * squares = vectors_from(1, n_columns);
                squares = ggml_mul_inplace(c, squares, squares); // ggml_sqr takes one thread on the CPU
                return ggml_add(c, vectors_from(0, 1), llama_retain_sum(c, graph, squares, n_group)); // [rows, n_group, n_head_kv]
            },
            [&](const std::vector<float> & values, int64_t start, int64_t n) {
                for (int64_t h = 0; h < n_head_kv*n_group; ++h) {
                    std::copy_n(values.data() + h*n, n, logits + h*n_rows + start);
                }
            });
    }
};

bool llama_retain_expected(llama_context * ctx, uint32_t il, uint32_t n_rows, int32_t first, uint32_t n_future, float * logits) {
    return llama_retain::expecting::expected(ctx, il, n_rows, first, n_future, logits);
}
