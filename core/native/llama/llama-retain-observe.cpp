// What a policy chooses by: attention, keys, lengths of values, expected attention

#include "llama-retain-impl.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <thread>

void llama_retain_queries::add(const llama_retain_query_batch & batch) {
    n      += batch.n;
    scale   = batch.scale;
    rotated = batch.rope != nullptr;
    if (rotated) {
        rope.assign(batch.rope->op_params, batch.rope->op_params + std::size(batch.rope->op_params));
        factors = batch.rope->src[2];
    }
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

struct llama_retain::observing {
    // What build() makes of a layer's first n_rows keys or values, f32 [elements of a head, rows, KV heads], for so many rows at a
    // time that these and what is between, n_between elements a row, stay in a core's cache; on a device, that it is worth a launch.
    // take(values, first row, rows) gets what came, f32 [..., rows, KV heads]. false: no memory
    template <typename B, typename T>
    static bool by_parts(llama_context * ctx, const ggml_tensor * staged, int64_t n_head, int64_t n_rows, int64_t n_between, B build, T take) {
        auto * buft = ggml_backend_buffer_get_type(staged->buffer);
        const auto device = backend(ctx, buft);
        ggml_gallocr_ptr alloc(ggml_gallocr_new(buft));
        const int64_t n_embd = staged->ne[0]/n_head;
        const int64_t n_most = ggml_backend_buft_is_host(buft) ? 1 << 17 : 8 << 20;
        const int64_t n_step = std::max<int64_t>(1, n_most/(staged->ne[0] + n_between));
        std::vector<float> values;
        for (int64_t start = 0; device && start < n_rows; start += n_step) {
            const int64_t n = std::min(n_step, n_rows - start);
            ggml_init_params params = { 16*ggml_tensor_overhead() + ggml_graph_overhead(), nullptr, true };
            ggml_context_ptr tensors(ggml_init(params));
            auto * c = tensors.get();

            ggml_tensor * rows = alias(c, staged, staged->type, n_embd, n, n_head, n_embd*ggml_type_size(staged->type));
            rows->data = (char *) rows->data + start*staged->nb[1];
            ggml_tensor * cur = build(c, ggml_cast(c, rows, GGML_TYPE_F32));

            ggml_cgraph * graph = ggml_new_graph_custom(c, 16, false);
            ggml_build_forward_expand(graph, cur);
            if (!ggml_gallocr_alloc_graph(alloc.get(), graph) || ggml_backend_graph_compute(device, graph) != GGML_STATUS_SUCCESS) {
                return false;
            }
            values.resize(ggml_nelements(cur));
            ggml_backend_tensor_get(cur, values.data(), 0, ggml_nbytes(cur));
            take(values, start, n);
        }
        return device != nullptr;
    }

    static bool observe(llama_context * ctx, uint32_t what, uint32_t n_rows) {
        auto & cparams = ctx->cparams;
        cparams.retain_what      = what;
        cparams.retain_rows      = n_rows;
        cparams.retain_attention = &ctx->retain_attention;
        cparams.retain_queries   = &ctx->retain_queries;
        const uint32_t end = cparams.retain_end == 0 ? ctx->model.hparams.n_layer() : cparams.retain_end;
        for (uint32_t il = cparams.retain_begin; il < end; ++il) {
            if (cache(ctx).map_layer_ids.count(il) &&
                ((n_rows > 0 && !sum_attention(ctx, il)) || ((what & LLAMA_RETAIN_QUERIES) && !sum_queries(ctx, il)))) {
                return false;
            }
        }
        return true;
    }

    static void forget(llama_context * ctx) {
        ctx->synchronize();
        ctx->cparams.retain_what = 0;
        ctx->cparams.retain_rows = 0;
        ctx->retain_attention.clear();
        ctx->retain_queries.clear();
    }

    // where the layer's keys lie, zeros. false: no memory
    static bool place(llama_context * ctx, uint32_t il, const ggml_context_ptr & tensors, ggml_backend_buffer_ptr & buffer) {
        auto * buft = ggml_backend_buffer_get_type(layer_of(ctx, il).k->buffer);
        buffer.reset(ggml_backend_alloc_ctx_tensors_from_buft(tensors.get(), buft));
        if (!buffer) {
            return false;
        }
        ggml_backend_buffer_clear(buffer.get(), 0);
        ++ctx->cparams.retain_gen; // a graph that adds to others is not to be used again
        return true;
    }

    static bool sum_attention(llama_context * ctx, uint32_t il) {
        if (ctx->retain_attention.count(il)) {
            return true;
        }
        llama_retain_attention attention;
        ggml_init_params params = { 3*ggml_tensor_overhead(), nullptr, true };
        attention.tensors.reset(ggml_init(params));
        for (const uint32_t what : { LLAMA_RETAIN_SUMS, LLAMA_RETAIN_SQUARES, LLAMA_RETAIN_ENTROPY }) {
            if (ctx->cparams.retain_what & what) {
                attention.sums[what] = ggml_new_tensor_2d(attention.tensors.get(), GGML_TYPE_F32, cache(ctx).get_size(), ctx->model.hparams.n_head(il));
            }
        }
        return attention.sums.empty() ||
            (place(ctx, il, attention.tensors, attention.buffer) && ctx->retain_attention.emplace(il, std::move(attention)).second);
    }

    static bool sum_queries(llama_context * ctx, uint32_t il) {
        if (ctx->retain_queries.count(il)) {
            return true;
        }
        llama_retain_queries queries;
        ggml_init_params params = { 2*ggml_tensor_overhead(), nullptr, true };
        queries.tensors.reset(ggml_init(params));
        const auto & hparams = ctx->model.hparams;
        const int64_t n_embd = hparams.n_embd_head_k(il);
        queries.sum      = ggml_new_tensor_3d(queries.tensors.get(), GGML_TYPE_F32, 1,      n_embd, hparams.n_head(il));
        queries.products = ggml_new_tensor_3d(queries.tensors.get(), GGML_TYPE_F32, n_embd, n_embd, hparams.n_head(il));
        return place(ctx, il, queries.tensors, queries.buffer) && ctx->retain_queries.emplace(il, std::move(queries)).second;
    }

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

    static const float * observed(llama_context * ctx, uint32_t il, uint32_t what, uint32_t * n_kv) {
        ctx->synchronize();
        const auto layer = ctx->retain_attention.find(il);
        if (layer == ctx->retain_attention.end() || !layer->second.sums.count(what)) {
            return nullptr;
        }
        const ggml_tensor * t = layer->second.sums.at(what);
        // memory that the device can write to by itself, where it has such, and that is there already the next time
        auto & buffer = ctx->retain_read_buf;
        if (!buffer || ggml_backend_buffer_get_size(buffer.get()) < ggml_nbytes(t)) {
            auto * dev  = ctx->model.dev_layer(il);
            auto * buft = dev ? ggml_backend_dev_host_buffer_type(dev) : nullptr;
            buffer.reset(ggml_backend_buft_alloc_buffer(buft ? buft : ggml_backend_cpu_buffer_type(), ggml_nbytes(t)));
            if (!buffer) {
                return nullptr;
            }
        }
        auto * values = (float *) ggml_backend_buffer_get_base(buffer.get());
        ggml_backend_tensor_get(t, values, 0, ggml_nbytes(t));
        *n_kv = t->ne[0];
        return values;
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
        std::vector<float> mean, spread;
        for (const auto & head : heads) {
            mean.insert(mean.end(), head.mean.begin(), head.mean.end());
            for (const auto & column : head.columns) {
                spread.insert(spread.end(), column.begin(), column.end());
            }
            spread.resize(mean.size()*n_columns, 0.0f);
        }

        auto * buft = ggml_backend_buffer_get_type(keys->buffer);
        ggml_init_params params = { 3*ggml_tensor_overhead(), nullptr, true };
        ggml_context_ptr inputs(ggml_init(params));
        ggml_tensor * t_mean   = ggml_new_tensor_3d(inputs.get(), GGML_TYPE_F32, n_embd, n_group,        n_head_kv);
        ggml_tensor * t_spread = ggml_new_tensor_3d(inputs.get(), GGML_TYPE_F32, n_embd, n_group*n_columns, n_head_kv);
        ggml_tensor * t_rot    = kv.build_input_k_rot(inputs.get());
        ggml_backend_buffer_ptr buffer(ggml_backend_alloc_ctx_tensors_from_buft(inputs.get(), buft));
        if (!buffer) {
            return false;
        }
        ggml_backend_tensor_set(t_mean,   mean.data(),   0, ggml_nbytes(t_mean));
        ggml_backend_tensor_set(t_spread, spread.data(), 0, ggml_nbytes(t_spread));
        if (t_rot) {
            ggml_backend_tensor_set(t_rot, kv.attn_rot_hadamard.at(t_rot->ne[0]).data(), 0, ggml_nbytes(t_rot));
        }

        return by_parts(ctx, keys, n_head_kv, n_rows, n_head_kv*n_group*n_columns,
            [&](ggml_context * c, ggml_tensor * k) {
                if (t_rot) {
                    k = llama_mul_mat_hadamard(c, k, t_rot); // its own inverse
                }
                ggml_tensor * cur = ggml_mul_mat(c, t_spread, k);
                cur = ggml_mul(c, cur, cur); // ggml_sqr takes one thread on the CPU
                cur = ggml_sum_rows(c, ggml_reshape_4d(c, cur, n_columns, n_group, k->ne[1], n_head_kv));
                cur = ggml_add(c, ggml_reshape_3d(c, cur, n_group, k->ne[1], n_head_kv), ggml_mul_mat(c, t_mean, k));
                return ggml_cont(c, ggml_permute(c, cur, 1, 0, 2, 3)); // [rows, n_group, n_head_kv]
            },
            [&](const std::vector<float> & values, int64_t start, int64_t n) {
                for (int64_t h = 0; h < n_head_kv*n_group; ++h) {
                    std::copy_n(values.data() + h*n, n, logits + h*n_rows + start);
                }
            });
    }

    static uint32_t keys(llama_context * ctx, uint32_t il, uint32_t n_rows, float * keys) {
        ctx->synchronize();
        const auto * t = staging(ctx, il, false, n_rows);
        if (!t) {
            return 0;
        }
        const uint32_t n_head = ctx->model.hparams.n_head_kv(il);
        const uint32_t n_embd = t->ne[0]/n_head;
        std::vector<uint8_t> copy;
        // who asks for the size alone is not to copy the layer
        const uint8_t * data = keys ? on_host(t, copy) : nullptr;
        for (uint32_t h = 0; keys && h < n_head; ++h) {
            for (uint32_t r = 0; r < n_rows; ++r) {
                ggml_fp16_to_fp32_row((const ggml_fp16_t *) (data + r*t->nb[1]) + h*n_embd, keys, n_embd);
                keys += n_embd;
            }
        }
        return n_embd;
    }

    static bool value_norms(llama_context * ctx, uint32_t il, uint32_t n_rows, float * norms) {
        ctx->synchronize();
        const auto * t = staging(ctx, il, true, n_rows);
        if (!t) {
            return false;
        }
        const int64_t n_head = ctx->model.hparams.n_head_kv(il);
        return by_parts(ctx, t, n_head, n_rows, t->ne[0],
            [](ggml_context * c, ggml_tensor * v) {
                return ggml_sum_rows(c, ggml_mul(c, v, v));
            },
            [&](const std::vector<float> & squares, int64_t start, int64_t n) {
                for (int64_t h = 0; h < n_head; ++h) {
                    for (int64_t r = 0; r < n; ++r) {
                        norms[h*n_rows + start + r] = std::sqrt(squares[h*n + r]);
                    }
                }
            });
    }
};

bool llama_retain_observe(llama_context * ctx, uint32_t what, uint32_t n_rows) {
    return llama_retain::observing::observe(ctx, what, n_rows);
}

void llama_retain_forget(llama_context * ctx) {
    llama_retain::observing::forget(ctx);
}

const float * llama_retain_observed(llama_context * ctx, uint32_t il, uint32_t what, uint32_t * n_kv) {
    return llama_retain::observing::observed(ctx, il, what, n_kv);
}

uint32_t llama_retain_keys(llama_context * ctx, uint32_t il, uint32_t n_rows, float * keys) {
    return llama_retain::observing::keys(ctx, il, n_rows, keys);
}

bool llama_retain_value_norms(llama_context * ctx, uint32_t il, uint32_t n_rows, float * norms) {
    return llama_retain::observing::value_norms(ctx, il, n_rows, norms);
}

bool llama_retain_expected(llama_context * ctx, uint32_t il, uint32_t n_rows, int32_t first, uint32_t n_future, float * logits) {
    return llama_retain::observing::expected(ctx, il, n_rows, first, n_future, logits);
}
