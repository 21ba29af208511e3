// Which positions each KV head keeps, as the policies choose them
#include "gpu-bench.h"

#include <algorithm>
#include <atomic>
#include <functional>

// the n_keep best of one KV head
static std::vector<uint32_t> best_of_head(const std::vector<float> & scores, uint32_t h, uint32_t n_group, uint32_t n_before, uint32_t n_keep) {
    std::vector<float> most(n_before), pooled(n_before);
    std::copy_n(scores.data() + size_t(h)*n_group*n_before, n_before, most.data());
    for (uint32_t g = 1; g < n_group; ++g) {
        const float * other = scores.data() + (size_t(h)*n_group + g)*n_before;
        for (uint32_t i = 0; i < n_before; ++i) {
            most[i] = std::max(most[i], other[i]);
        }
    }
    double sum = 0;
    for (uint32_t i = 0; i < std::min(7u, n_before); ++i) {
        sum += most[i];
    }
    for (uint32_t i = 0; i < n_before; ++i) {
        if (i + 7 < n_before) sum += most[i + 7];
        if (i >= 8)           sum -= most[i - 8];
        pooled[i] = sum/(std::min(i + 7, n_before - 1) - (i >= 7 ? i - 7 : 0) + 1);
    }
    most = pooled;
    std::nth_element(most.begin(), most.begin() + n_keep - 1, most.end(), std::greater<float>());
    const float cut = most[n_keep - 1];
    size_t ties = n_keep - std::count_if(pooled.begin(), pooled.end(), [&](float score) { return score > cut; });
    std::vector<uint32_t> kept;
    for (uint32_t i = 0; i < n_before; ++i) {
        if (pooled[i] > cut || (pooled[i] == cut && ties > 0 && ties--)) {
            kept.push_back(i);
        }
    }
    return kept;
}

std::vector<Plan> best(const std::vector<Choice> & layers, uint32_t n_head, uint32_t n_before) {
    std::vector<Plan> plans;
    std::vector<std::pair<size_t, uint32_t>> heads;
    for (size_t l = 0; l < layers.size(); ++l) {
        plans.emplace_back(layers[l].n_keep.size());
        for (uint32_t h = 0; h < layers[l].n_keep.size(); ++h) {
            heads.emplace_back(l, h);
        }
    }
    std::atomic<size_t> next{0};
    const auto work = [&] {
        for (size_t i; (i = next++) < heads.size();) {
            const auto [l, h] = heads[i];
            const auto & layer = layers[l];
            plans[l][h] = best_of_head(*layer.scores, h, n_head/layer.n_keep.size(), n_before, layer.n_keep[h]);
        }
    };
    std::vector<std::thread> threads;
    for (size_t i = 1; i < std::min<size_t>(std::thread::hardware_concurrency(), heads.size()); ++i) {
        threads.emplace_back(work);
    }
    work();
    for (auto & thread : threads) {
        thread.join();
    }
    return plans;
}
