// What rotary embedding does on average to the queries of the positions that follow a document

#include "llama-retain-impl.h"

#include <algorithm>
#include <cstring>
#include <numeric>

// columns of n_embd elements as rotary embedding turns them at n positions from `first` on: [n_embd, columns, n]; empty: no memory.
// By the node that rotated the queries, so that every kind of rotary embedding is covered
static std::vector<float> rotate(ggml_backend_t cpu, const llama_retain_queries & queries, int64_t n_embd, const std::vector<float> & columns, int32_t first, int64_t n) {
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
static std::vector<double> mean_of(ggml_backend_t cpu, const llama_retain_queries & queries, int64_t n_embd, int32_t first, uint32_t n) {
    std::vector<float> identity(n_embd*n_embd, 0.0f);
    for (int64_t i = 0; i < n_embd; ++i) {
        identity[i*n_embd + i] = 1.0f;
    }
    if (!queries.rotated) {
        return { identity.begin(), identity.end() };
    }

    // Columns whose elements go to different places can be turned as one, and a rotation mixes elements in pairs: two columns do
    // for the whole matrix. For each of them, which column of the matrix an element of the result belongs to; -1: to none
    const auto sample = rotate(cpu, queries, n_embd, identity, first + n - 1, 1);
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

    const auto turned = rotate(cpu, queries, n_embd, columns, first, n);
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

// most models turn all layers' queries alike
std::shared_ptr<const std::vector<double>> llama_retain::mean_rotation(llama_context * ctx, const llama_retain_queries & queries, int64_t n_embd, int32_t first, uint32_t n) {
    auto & known = ctx->retain_rotation;
    if (!known.mean || known.rotated != queries.rotated || known.rope != queries.rope || known.factors != queries.factors ||
        known.n_embd != n_embd || known.first != first || known.n != n) {
        // on the context's own the document may still be read; this is soon done by one thread
        ggml_backend_ptr cpu(ggml_backend_dev_init(ggml_backend_get_device(ctx->backend_cpu), nullptr));
        for (const auto & [backend, set_n_threads] : ctx->set_n_threads_fns) {
            if (cpu && backend == ctx->backend_cpu) {
                set_n_threads(cpu.get(), 1);
            }
        }
        const auto mean = cpu ? mean_of(cpu.get(), queries, n_embd, first, n) : std::vector<double>();
        known = { queries.rotated, queries.rope, queries.factors, n_embd, first, n, mean.empty() ? nullptr : std::make_shared<const std::vector<double>>(mean) };
    }
    return known.mean;
}
