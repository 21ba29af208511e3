// Which positions each KV head keeps, as the policies choose them
#include "gpu-bench.h"

#include <algorithm>
#include <functional>

Plan best(const std::vector<float> & scores, uint32_t n_head, uint32_t n_before, const std::vector<uint32_t> & n_keep) {
    const uint32_t n_kv_head = n_keep.size();
    const uint32_t n_group   = n_head/n_kv_head;
    Plan plan(n_kv_head);
    const auto of_head = [&](uint32_t h) {
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
        std::nth_element(most.begin(), most.begin() + n_keep[h] - 1, most.end(), std::greater<float>());
        const float cut = most[n_keep[h] - 1];
        size_t ties = n_keep[h] - std::count_if(pooled.begin(), pooled.end(), [&](float score) { return score > cut; });
        for (uint32_t i = 0; i < n_before; ++i) {
            if (pooled[i] > cut || (pooled[i] == cut && ties > 0 && ties--)) {
                plan[h].push_back(i);
            }
        }
    };
    std::vector<std::thread> threads;
    for (uint32_t h = 0; h < n_kv_head; ++h) {
        threads.emplace_back(of_head, h);
    }
    for (auto & thread : threads) {
        thread.join();
    }
    return plan;
}
