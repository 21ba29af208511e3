// Reading and writing on one GPU: stock llama.cpp and layer-group reading with retention, over the same library and the
// same random tokens. One line of JSON per measurement. See bench.sh for how it is called.
//
// usage: gpu-bench make  SHAPE MODEL            writes a model with random q4_0 weights of a real model's shape
//        gpu-bench check MODEL TOKENS           everything retained, against stock; retention, against the CPU
//        gpu-bench run   MODEL RUN...           RUN is side:tokens:kv[:kept[:group[:hidden]]]
//          side    stock | precis | uneven (budgets that differ from layer to layer, as a policy's may)
//                  | heads (budgets that differ from KV head to KV head in each layer)
//                  | default (all that the default policy asks for is observed: squares, queries, lengths of values, expected attention)
//                  | fast (from about a quarter of the layers on, 4,096 positions go on: core/compression/propagation.ts)
//          kv      f16 | q8_0 | q4_0, what is kept      kept    share of the tokens, e.g. 0.069
//          group   layers read together; 0: as many as hold 512 MiB of f16 keys and values
//          hidden  f32 | f16, what waits between groups
// Environment: BATCH (512), DECODE (256 tokens), THREADS (all cores), WATCH (2 ms between two looks at the memory),
// LAYERS (on the GPU, the output counted as one as llama.cpp does; all).
//
// models.cpp makes models, reading.cpp reads and writes, choosing.cpp says what is kept, timing.* when the device came how far and
// with how much memory, checks.cpp compares.
#include "gpu-bench.h"
#include "timing.h"

#include <cstdio>

static void measure_all(const char * path, ggml_backend_dev_t device, int n_runs, char ** runs) {
    const size_t before = Watch::in_use(device);
    const auto   from   = Clock::now();
    const auto   model  = load(path, device);
    printf("{\"model\":\"%s\",\"device\":\"%s\",\"batch\":%d,\"weights\":%zu,\"before\":%zu,\"layers\":%d,\"loadMs\":%.0f}\n", path,
            ggml_backend_dev_description(device), setting("BATCH", 512), Watch::in_use(device) - before, before, setting("LAYERS", 999), ms_since(from));
    fflush(stdout);
    for (int i = 0; i < n_runs; ++i) {
        const Run run(runs[i]);
        Watch watch(device);
        Result r;
        try {
            r = measure(model.get(), run, device);
        } catch (const std::exception & error) {
            printf("{\"run\":\"%s\",\"error\":\"%s\"}\n", runs[i], error.what());
            fflush(stdout);
            continue;
        }
        printf("{\"run\":\"%s\",\"side\":\"%s\",\"tokens\":%u,\"kv\":\"%s\",\"kept\":%g,\"group\":%u,\"hidden\":\"%s\",\"firstMs\":%.1f,\"openMs\":%.1f,\"beginMs\":%.1f,\"readMs\":%.1f,"
               "\"scoreMs\":%.1f,\"readBackMs\":%.1f,\"normsMs\":%.1f,\"expectedMs\":%.1f,\"selectMs\":%.1f,\"keepMs\":%.1f,\"reserveMs\":%.1f,\"decodePerSecond\":%.2f,\"tokenMs\":%.3f,\"launchMs\":%.3f,\"chooseMs\":%.3f,\"peak\":%zu,\"after\":%zu,\"kvBytes\":%zu,"
               "\"kvPeak\":%zu,\"kvFull\":%zu,\"computeBytes\":%zu,"
               "\"splitsRead\":%d,\"splitsDecode\":%d}\n",
               runs[i], run.side.c_str(), run.tokens, run.kv.c_str(), run.kept, r.group, run.hidden.c_str(), r.first_ms, r.open_ms, r.begin_ms, r.read_ms, r.score_ms,
               r.read_back_ms, r.norms_ms, r.expected_ms, r.select_ms, r.keep_ms, r.reserve_ms, setting("DECODE", 256)*1000/r.decode_ms, r.token_ms, r.launch_ms/setting("DECODE", 256),
               r.choose_ms/setting("DECODE", 256), watch.peak.load(), r.after_bytes, r.kv_bytes,
               r.kv_peak, row_bytes(model.get())*llama_model_n_layer(model.get())*run.tokens, r.compute_bytes, r.splits_read, r.splits_decode);
        fflush(stdout);
    }
}

int main(int argc, char ** argv) {
    try {
        const std::string task = argc > 2 ? argv[1] : "";
        llama_log_set([](ggml_log_level level, const char * text, void *) {
            if (level == GGML_LOG_LEVEL_ERROR) fputs(text, stderr);
        }, nullptr);
        if (task == "make" && argc == 4) {
            make(argv[2], argv[3]);
            return 0;
        }
        ggml_backend_load_all();
        // without a GPU the same runs on the CPU: memory is then the machine's
        auto * device = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_GPU);
        if (!device) {
            device = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
        }
        if (task == "check" && argc == 4) {
            check(argv[2], device, argv[3]);
            return 0;
        }
        if (task == "run" && argc > 3) {
            measure_all(argv[2], device, argc - 3, argv + 3);
            return 0;
        }
        fputs("usage: gpu-bench make SHAPE MODEL | check MODEL TOKENS | run MODEL RUN...\n", stderr);
        return 2;
    } catch (const std::exception & error) {
        fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
