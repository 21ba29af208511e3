// What devices compute of a group's layers while the host looks at one after the other

#include "llama-retain-impl.h"

#include <algorithm>

struct llama_retain::making {
    // K or V of these layers that lies on a device, and how many f32 are made of a row of it
    struct task {
        uint32_t            il;
        bool                values;
        const ggml_tensor * staged;
        int64_t             n_made;
    };

    static std::vector<task> tasks_of(llama_context * ctx, uint32_t n_rows, bool norms) {
        const auto & cparams = ctx->cparams;
        const auto & hparams = ctx->model.hparams;
        const auto * expecting = ctx->retain_expecting.get();
        if (expecting) {
            expecting->done.wait();
        }
        std::vector<task> tasks;
        for (uint32_t il = cparams.retain_begin; il < cparams.retain_end; ++il) {
            // with rotated keys there is an input that is written anew for each layer
            const bool expected = expecting && expecting->n_columns.count(il) && expecting->n_columns.at(il) > 0 && !cache(ctx).attn_rot_k;
            for (const bool values : { false, true }) {
                const auto * staged = (values ? norms : expected) ? staging(ctx, il, values, n_rows) : nullptr;
                if (staged && !ggml_backend_buffer_is_host(staged->buffer)) {
                    tasks.push_back({ il, values, staged, int64_t(values ? hparams.n_head_kv(il) : hparams.n_head(il)) });
                }
            }
        }
        return tasks;
    }

    // false: no memory, or no events
    static bool place(llama_context * ctx, uint32_t n_rows, const std::vector<task> & tasks) {
        auto made = std::make_unique<llama_retain_made>();
        made->n_rows = n_rows;
        ggml_init_params params = { tasks.size()*ggml_tensor_overhead(), nullptr, true };
        made->tensors.reset(ggml_init(params));
        std::map<ggml_backend_buffer_type_t, size_t> sizes;
        for (const auto & task : tasks) {
            auto * buft = ggml_backend_buffer_get_type(task.staged->buffer);
            ggml_tensor * t = ggml_new_tensor_1d(made->tensors.get(), GGML_TYPE_F32, padded_rows(task.staged, n_rows)*task.n_made);
            made->results[task.staged] = { t, ggml_backend_event_ptr(ggml_backend_event_new(ggml_backend_buft_get_device(buft))) };
            if (!made->results[task.staged].done) {
                return false;
            }
            sizes[buft] += GGML_PAD(ggml_backend_buft_get_alloc_size(buft, t), ggml_backend_buft_get_alignment(buft));
        }
        for (const auto & [buft, size] : sizes) {
            made->buffers.emplace_back(ggml_backend_buft_alloc_buffer(buft, size));
            if (!made->buffers.back()) {
                return false;
            }
            auto alloc = ggml_tallocr_new(made->buffers.back().get());
            for (auto & [staged, result] : made->results) {
                if (ggml_backend_buffer_get_type(staged->buffer) == buft) {
                    ggml_tallocr_alloc(&alloc, result.t);
                }
            }
        }
        ctx->retain_made = std::move(made);
        return true;
    }

    static bool begin(llama_context * ctx, uint32_t n_rows, const std::vector<task> & tasks) {
        const auto * expecting = ctx->retain_expecting.get();
        for (const bool laying_out : { true, false }) {
            ctx->retain_made->laying_out = laying_out;
            for (const auto & task : tasks) {
                const bool fits = task.values ? llama_retain_value_norms(ctx, task.il, n_rows, nullptr) :
                    llama_retain_expected(ctx, task.il, n_rows, expecting->first, expecting->n, nullptr);
                if (!fits) {
                    return false;
                }
            }
        }
        return true;
    }

    static void ahead(llama_context * ctx, uint32_t n_rows, bool norms) {
        std::vector<ggml_backend_event_ptr> read;
        const auto tasks = ctx->cparams.retain_end - ctx->cparams.retain_begin > 1 ? tasks_of(ctx, n_rows, norms) : std::vector<task>();
        if (!tasks.empty()) {
            for (const auto & backend : ctx->backends) {
                read.emplace_back(ggml_backend_event_new(ggml_backend_get_device(backend.get())));
                if (read.back()) { // the host's has done all that it was given
                    ggml_backend_event_record(read.back().get(), backend.get());
                }
            }
        }
        if (step(cache(ctx)) > 1 && !ctx->retain_attention.empty()) {
            // what the host reads into: pinned memory is 0.35 ms a MiB, for which the device need not wait
            const auto & sums = ctx->retain_attention.begin()->second.sums;
            sums.empty() || read_buffer(ctx, ggml_backend_buffer_get_type(sums.begin()->second->buffer), ggml_nbytes(sums.begin()->second));
        }
        if (tasks.empty() || !place(ctx, n_rows, tasks) || !begin(ctx, n_rows, tasks)) {
            ctx->synchronize();
            ctx->retain_made.reset();
            return;
        }
        for (const auto & event : read) {
            if (event) {
                ggml_backend_event_synchronize(event.get());
            }
        }
    }
};

void llama_retain_ahead(llama_context * ctx, uint32_t n_rows, bool norms) {
    llama_retain::making::ahead(ctx, n_rows, norms);
}
