// Logits, kept positions and what is observed, compared: with stock llama.cpp's, and with the CPU's
#include "gpu-bench.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

// how far one list of values is from another, or several are from several
struct Difference {
    double largest = 0, norm = 0, squares = 0;

    void add(const std::vector<float> & a, const std::vector<float> & b) {
        must(a.size() == b.size(), "nothing to compare");
        for (size_t i = 0; i < a.size(); ++i) {
            const double d = double(a[i]) - b[i];
            largest  = std::max(largest, std::isfinite(d) ? std::abs(d) : INFINITY);
            squares += d*d;
            norm    += double(a[i])*a[i];
        }
    }
    double relative() const {
        return std::sqrt(squares/norm);
    }
};

static void compare(const char * what, const Result & a, const Result & b) {
    must(!a.logits.empty() && a.logits.size() == b.logits.size(), "nothing to compare");
    double after_prompt = 0;
    Difference logits, norms, expected;
    for (size_t i = 0; i < a.logits.size(); ++i) {
        logits.add(a.logits[i], b.logits[i]);
        after_prompt = i == 0 ? logits.largest : after_prompt;
    }
    norms.add(a.norms, b.norms);
    expected.add(a.expected, b.expected);
    size_t shared = 0, total = 0;
    for (size_t il = 0; il < a.plans.size() && il < b.plans.size(); ++il) {
        for (size_t h = 0; h < a.plans[il].size(); ++h) {
            const auto & head = b.plans[il][h];
            for (const uint32_t position : a.plans[il][h]) {
                shared += std::binary_search(head.begin(), head.end(), position);
            }
            total += a.plans[il][h].size();
        }
    }
    printf("{\"check\":\"%s\",\"afterPrompt\":%g,\"largestDifference\":%g,\"relative\":%g", what, after_prompt, logits.largest, logits.relative());
    if (total > 0) {
        printf(",\"samePositions\":%.4f", double(shared)/total);
    }
    if (!a.expected.empty()) {
        printf(",\"lengthsOfValues\":%g,\"expectedAttention\":%g", norms.relative(), expected.relative());
    }
    printf(",\"splitsRead\":%d,\"splitsDecode\":%d}\n", b.splits_read, b.splits_decode);
    fflush(stdout);
}

void check(const char * path, ggml_backend_dev_t device, const std::string & n) {
    const auto model = load(path, device);
    const auto given = random_tokens(model.get(), 8);
    const auto on_device = [&](const std::string & run) { return measure(model.get(), Run(run), device, given); };

    for (const std::string kv : { "f16", "q8_0", "q4_0" }) {
        const auto stock = on_device("stock:" + n + ":" + kv);
        compare(("stock " + kv + " against stock f16").c_str(), on_device("stock:" + n + ":f16"), stock);
        for (const char * how : { "1:f32", "2:f32", "4:f32", "1:f16" }) {
            compare(("everything kept as " + kv + ", layers and hidden states " + how + ", against stock " + kv).c_str(),
                    stock, on_device("precis:" + n + ":" + kv + ":1:" + how));
        }
    }
    // Some layers there, the others on the CPU: groups lie on one side, or on both. Each layer is computed where it lies:
    // otherwise the device lends a hand with large batches, and which small operations go with it depends on the graph
    for (const int n_layers : { 2, 3 }) {
        const auto shared = load(path, device, n_layers);
        const auto on_both = [&](const std::string & run) { return measure(shared.get(), Run(run), device, given, false); };
        const auto stock = on_both("stock:" + n + ":f16");
        for (const char * how : { "1:f32", "2:f32", "3:f32", "4:f32", "1:f16" }) {
            compare((std::to_string(n_layers - 1) + " of 4 layers on the GPU, everything kept as f16, layers and hidden states " + how + ", against stock").c_str(),
                    stock, on_both("precis:" + n + ":f16:1:" + how));
        }
    }
    const auto on_cpu = load(path, nullptr);
    for (const std::string & run : { "stock:" + n + ":f16", "precis:" + n + ":f16:0.25:1:f32", "precis:" + n + ":q8_0:0.25:1:f32", "uneven:" + n + ":f16:0.25:1:f32", "heads:" + n + ":f16:0.25:1:f32", "heads:" + n + ":q8_0:0.25:1:f32", "fast:" + n + ":f16:0.25:1:f32",
            "default:" + n + ":f16:0.25:1:f32", "default:" + n + ":f16:0.25:4:f32", "default:" + n + ":q8_0:0.25:1:f32", "default:" + n + ":q8_0:0.25:4:f32" }) {
        compare((run + " against the CPU").c_str(), measure(on_cpu.get(), Run(run), device, given), on_device(run));
    }
}
