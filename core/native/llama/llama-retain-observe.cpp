// What a policy chooses by: attention, keys, lengths of values, expected attention

#include "llama-retain-impl.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

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

// each KV head's rows of keys or values in turn, as f16. Returns the size of a row; 0: the layer has no such storage
template <typename F>
static uint32_t each_row(llama_context * ctx, uint32_t il, bool values, uint32_t n_rows, F take) {
    ctx->synchronize();
    const auto * t = llama_retain::staging(ctx, il, values, n_rows);
    if (!t) {
        return 0;
    }
    const uint32_t n_head = ctx->get_model().hparams.n_head_kv(il);
    const uint32_t n_embd = t->ne[0]/n_head;
    std::vector<uint8_t> copy;
    // who asks for the size alone is not to copy the layer
    const uint8_t * data = n_rows > 0 ? llama_retain::on_host(t, copy) : nullptr;
    for (uint32_t h = 0; h < n_head; ++h) {
        for (uint32_t r = 0; r < n_rows; ++r) {
            take((const ggml_fp16_t *) (data + r*t->nb[1]) + h*n_embd, n_embd);
        }
    }
    return n_embd;
}

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

// computes a small graph on its own; false: no room, or it failed
static bool compute(ggml_backend_t backend, ggml_cgraph * graph, ggml_gallocr_t alloc) {
    return ggml_gallocr_alloc_graph(alloc, graph) && ggml_backend_graph_compute(backend, graph) == GGML_STATUS_SUCCESS;
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

struct llama_retain::observing {
    static void observe(llama_context * ctx, uint32_t what, uint32_t n_rows) {
        ctx->cparams.retain_what = what;
        ctx->cparams.retain_rows = n_rows;
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

        // so many rows at a time that what is between stays in a core's cache; on a device, that it is worth a launch
        const int64_t n_most = ggml_backend_buft_is_host(buft) ? 1 << 17 : 8 << 20;
        const int64_t n_step = std::max<int64_t>(1, n_most/(n_head_kv*n_group*n_embd));
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
};

void llama_retain_observe(llama_context * ctx, uint32_t what, uint32_t n_rows) {
    llama_retain::observing::observe(ctx, what, n_rows);
}

const float * llama_retain_observed(llama_context * ctx, uint32_t il, uint32_t what, uint32_t * n_kv) {
    return llama_retain::observing::observed(ctx, il, what, n_kv);
}

uint32_t llama_retain_keys(llama_context * ctx, uint32_t il, uint32_t n_rows, float * keys) {
    return each_row(ctx, il, false, keys ? n_rows : 0, [&](const ggml_fp16_t * row, uint32_t n_embd) {
        ggml_fp16_to_fp32_row(row, keys, n_embd);
        keys += n_embd;
    });
}

bool llama_retain_value_norms(llama_context * ctx, uint32_t il, uint32_t n_rows, float * norms) {
    std::vector<float> values;
    return each_row(ctx, il, true, n_rows, [&](const ggml_fp16_t * row, uint32_t n_embd) {
        values.resize(GGML_PAD(n_embd, 8), 0.0f);
        ggml_fp16_to_fp32_row(row, values.data(), n_embd);
        // eight sums beside each other, as the compiler may not reorder one
        float sums[8] = {};
        for (size_t i = 0; i < values.size(); i += 8) {
            for (size_t k = 0; k < 8; ++k) {
                sums[k] += values[i + k]*values[i + k];
            }
        }
        *norms++ = std::sqrt(std::accumulate(sums, sums + 8, 0.0f));
    }) > 0;
}

bool llama_retain_expected(llama_context * ctx, uint32_t il, uint32_t n_rows, int32_t first, uint32_t n_future, float * logits) {
    return llama_retain::observing::expected(ctx, il, n_rows, first, n_future, logits);
}
