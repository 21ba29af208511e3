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

    // More than that of long documents' layers is worth no thread, and pinned memory takes 0.35 ms a MiB
    static constexpr size_t n_fetched_most = 8 << 20;

    // where what the host will ask for of each layer goes: while the device reads on
    static void prepare_fetching(llama_context * ctx) {
        auto & made = *ctx->retain_made;
        for (auto & [il, attention] : ctx->retain_attention) {
            std::vector<ggml_tensor *> of;
            for (const auto & [what, t] : attention.sums) {
                of.push_back(t);
            }
            for (const bool values : { false, true }) {
                const auto * staged = staging(ctx, il, values, made.n_rows);
                const auto result = made.results.find(staged);
                if (result != made.results.end()) {
                    of.push_back(result->second.t);
                }
            }
            size_t n = 0;
            for (const auto * t : of) {
                made.layer_of[t] = made.layers.size();
                n += ggml_nelements(t);
            }
            made.n_most = std::max(made.n_most, n);
            made.layers.push_back(std::move(of));
        }
        const size_t size = made.n_most*sizeof(float);
        if (size > 0 && size <= n_fetched_most) {
            made.fetched = read_buffer(ctx->retain_fetch_buf, ggml_backend_buffer_get_type(made.buffers[0].get()), 2*size);
        }
    }

    static void fetch_all(llama_retain_made & made) {
        for (size_t i = 0; i < made.layers.size(); ++i) {
            {
                std::unique_lock<std::mutex> lock(made.mutex);
                made.changed.wait(lock, [&] { return made.done || i < made.looked_at + 2; });
                if (made.done) {
                    return;
                }
            }
            float * into = made.fetched + i%2*made.n_most;
            for (const auto * t : made.layers[i]) {
                const auto result = std::find_if(made.results.begin(), made.results.end(), [&](const auto & one) { return one.second.t == t; });
                if (result != made.results.end()) {
                    ggml_backend_event_synchronize(result->second.done.get());
                }
                ggml_backend_tensor_get(t, into, 0, ggml_nbytes(t));
                into += ggml_nelements(t);
            }
            {
                std::lock_guard<std::mutex> lock(made.mutex);
                made.n_fetched = i + 1;
            }
            made.changed.notify_all();
        }
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
        if (tasks.empty() || !place(ctx, n_rows, tasks) || !begin(ctx, n_rows, tasks)) {
            ctx->synchronize();
            ctx->retain_made.reset();
            return;
        }
        prepare_fetching(ctx);
        for (const auto & event : read) {
            if (event) {
                ggml_backend_event_synchronize(event.get());
            }
        }
        auto * made = ctx->retain_made.get();
        if (made->fetched) {
            made->fetching = std::async(std::launch::async, [made] { fetch_all(*made); });
        }
    }
};

llama_retain_made::~llama_retain_made() {
    {
        std::lock_guard<std::mutex> lock(mutex);
        done = true;
    }
    changed.notify_all();
    if (fetching.valid()) {
        fetching.wait();
    }
}

const float * llama_retain::fetched(const llama_context * ctx, const ggml_tensor * t) {
    auto * made = ctx->retain_made.get();
    if (!made || !made->fetched || !made->layer_of.count(t)) {
        return nullptr;
    }
    const size_t i = made->layer_of.at(t);
    std::unique_lock<std::mutex> lock(made->mutex);
    if (i < made->looked_at) {
        return nullptr; // gone
    }
    made->looked_at = i;
    made->changed.notify_all();
    made->changed.wait(lock, [&] { return made->n_fetched > i; });
    const float * values = made->fetched + i%2*made->n_most;
    for (const auto * other : made->layers[i]) {
        if (other == t) {
            break;
        }
        values += ggml_nelements(other);
    }
    return values;
}

void llama_retain_ahead(llama_context * ctx, uint32_t n_rows, bool norms) {
    llama_retain::making::ahead(ctx, n_rows, norms);
}
