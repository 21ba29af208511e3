// probe FOLDER: whether the GPUs that the backends in this folder find compute. 0: they do; 1: one does not, or there is none.
#include <ggml-alloc.h>
#include <ggml-backend.h>

#include <cmath>
#include <cstdio>
#include <vector>

// A norm of ones. A backend finds GPUs that it has no code for; CUDA's ends the process when it meets one.
static bool computes(ggml_backend_dev_t device) {
    ggml_backend_t backend = ggml_backend_dev_init(device, nullptr);
    if (!backend) {
        return false;
    }
    ggml_context * ctx   = ggml_init({ 4 * ggml_tensor_overhead() + ggml_graph_overhead(), nullptr, true });
    ggml_tensor *  ones  = ggml_new_tensor_1d(ctx, GGML_TYPE_F32, 256);
    ggml_tensor *  norm  = ggml_rms_norm(ctx, ones, 0.0f);
    ggml_cgraph *  graph = ggml_new_graph(ctx);
    ggml_build_forward_expand(graph, norm);
    ggml_backend_buffer_t buffer = ggml_backend_alloc_ctx_tensors(ctx, backend);
    bool good = buffer != nullptr;
    if (good) {
        std::vector<float> values(256, 1.0f);
        ggml_backend_tensor_set(ones, values.data(), 0, ggml_nbytes(ones));
        good = ggml_backend_graph_compute(backend, graph) == GGML_STATUS_SUCCESS;
        ggml_backend_tensor_get(norm, values.data(), 0, ggml_nbytes(norm));
        for (float value : values) {
            good = good && std::fabs(value - 1.0f) < 1e-3f;
        }
        ggml_backend_buffer_free(buffer);
    }
    ggml_free(ctx);
    ggml_backend_free(backend);
    return good;
}

int main(int argc, char ** argv) {
    if (argc != 2) {
        fputs("usage: probe FOLDER\n", stderr);
        return 2;
    }
    ggml_backend_load_all_from_path(argv[1]);
    int gpus = 0;
    for (size_t i = 0; i < ggml_backend_dev_count(); ++i) {
        ggml_backend_dev_t device = ggml_backend_dev_get(i);
        const auto type = ggml_backend_dev_type(device);
        if (type != GGML_BACKEND_DEVICE_TYPE_GPU && type != GGML_BACKEND_DEVICE_TYPE_IGPU) {
            continue;
        }
        if (!computes(device)) {
            fprintf(stderr, "%s does not compute\n", ggml_backend_dev_name(device));
            return 1;
        }
        ++gpus;
    }
    return gpus > 0 ? 0 : 1;
}
