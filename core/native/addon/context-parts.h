#pragma once

// What context.cpp, writing.cpp and whole-cache.cpp share.

#include "context.h"
#include "job.h"

// the whole cache's file no longer holds what was written to it
struct Lost : Failure {
    Lost() : Failure("refused", "it was changed or cut short while it was used, or its disk cannot be read") {}
};

// Cells of a cache that leaves nothing out come in llama.cpp's own steps: how CPU flash attention shares them out among threads,
// and rounds, depends on how many there are, and its results are to be those of a full cache.
static const uint32_t n_cells_step = 256;

// gives back what glibc keeps of freed blocks
void return_memory();

// the calling thread computes for a window that must answer meanwhile
void give_way();

// what llama_sampler_sample does, on logits that no graph has just computed
llama_token sample(llama_sampler * chain, const std::vector<float> & logits);

// [query heads][n] to [kv heads][n]; query heads g*n_group .. (g+1)*n_group-1 share KV head g.
template <typename F>
std::vector<float> reduce(uint32_t n_head, uint32_t n_group, uint32_t n, Reduction reduction, F value) {
    std::vector<float> out(size_t(n_head/n_group)*n, 0.0f);
    for (uint32_t h = 0; h < n_head; ++h) {
        float * to = out.data() + size_t(h/n_group)*n;
        for (uint32_t i = 0; i < n; ++i) {
            const float from = value(size_t(h)*n + i);
            to[i] = reduction == Reduction::max ? std::max(to[i], from) : to[i] + from/n_group;
        }
    }
    return out;
}
