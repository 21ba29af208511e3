#pragma once

// What the files of gpu-bench share. See gpu-bench.cpp.
#include "llama.h"

#include "ggml-backend.h"

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using Clock  = std::chrono::steady_clock;
using Plan   = std::vector<std::vector<uint32_t>>; // by KV head, ascending
using Logits = std::vector<float>;

inline double ms_since(Clock::time_point from) {
    return std::chrono::duration<double, std::milli>(Clock::now() - from).count();
}

inline int setting(const char * name, int otherwise) {
    const char * value = getenv(name);
    return value ? atoi(value) : otherwise;
}

inline void must(bool fine, const std::string & what) {
    if (!fine) {
        throw std::runtime_error(what);
    }
}

struct FreeModel { void operator()(llama_model * model) const { llama_model_free(model); } };
using Model = std::unique_ptr<llama_model, FreeModel>;

struct Run {
    std::string side, kv = "f16";
    uint32_t tokens = 0, group = 0;
    double   kept = 1;
    std::string hidden = "f16";

    explicit Run(const std::string & text) {
        std::vector<std::string> parts;
        size_t from = 0;
        for (size_t at; (at = text.find(':', from)) != std::string::npos; from = at + 1) {
            parts.push_back(text.substr(from, at - from));
        }
        parts.push_back(text.substr(from));
        must(parts.size() >= 3, "a run is side:tokens:kv[:kept[:group[:hidden]]]");
        side   = parts[0];
        tokens = std::stoul(parts[1]);
        kv     = parts[2];
        if (parts.size() > 3) kept   = std::stod(parts[3]);
        if (parts.size() > 4) group  = std::stoul(parts[4]);
        if (parts.size() > 5) hidden = parts[5];
    }
};

struct Result {
    double first_ms = 0, open_ms = 0, begin_ms = 0, read_ms = 0, score_ms = 0, read_back_ms = 0, norms_ms = 0, expected_ms = 0, select_ms = 0, keep_ms = 0, reserve_ms = 0;
    double decode_ms = 0, launch_ms = 0, choose_ms = 0; // the host's part of the tokens: until all is under way, choosing
    double token_ms = 0; // of the tokens the median: the first ones are slower, until CUDA has a graph to replay
    size_t after_bytes = 0, kv_bytes = 0, kv_peak = 0, compute_bytes = 0;
    int    splits_read = 0, splits_decode = 0;
    uint32_t group = 0;
    std::vector<Plan>   plans;  // per layer
    std::vector<Logits> logits; // after the prompt, and after each token that was given
    std::vector<float>  norms, expected; // of all layers, where tokens were given and all that the default policy asks for was observed
};

// models.cpp: writes a model of this shape; loads one, so many layers of it on the device (nullptr: the CPU alone)
void  make(const std::string & name, const char * path);
Model load(const char * path, ggml_backend_dev_t device, int n_layers = setting("LAYERS", 999));

// of one layer's keys and values of a token, f16
size_t row_bytes(const llama_model * model);

// reading.cpp: the same tokens for every run; and a run on them, which goes on along `given`, or else writes greedily. Without
// `offload` each layer is computed where it lies
std::vector<llama_token> random_tokens(const llama_model * model, uint32_t n);
Result measure(llama_model * model, const Run & run, ggml_backend_dev_t device, const std::vector<llama_token> & given = {}, bool offload = true);

// choosing.cpp: of each layer the n_keep[h] best of each KV head: scores [n_head][n_before] of its queries, the best of a group,
// averaged over 15 neighbours
struct Choice {
    const std::vector<float> * scores;
    std::vector<uint32_t>      n_keep;
};
std::vector<Plan> best(const std::vector<Choice> & layers, uint32_t n_head, uint32_t n_before);

// checks.cpp: does compression work unchanged on this backend?
void check(const char * path, ggml_backend_dev_t device, const std::string & n_tokens);
