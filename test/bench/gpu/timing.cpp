#include "timing.h"

Marks::Marks(ggml_backend_t backend) : backend(backend), thread([this] { wait_for_each(); }) {}

Marks::~Marks() {
    {
        std::lock_guard<std::mutex> lock(mutex);
        done = true;
    }
    changed.notify_all();
    thread.join();
}

void Marks::set() {
    auto event = ggml_backend_event_new(ggml_backend_get_device(backend));
    if (event) {
        ggml_backend_event_record(event, backend);
    }
    std::lock_guard<std::mutex> lock(mutex);
    ++n_set;
    if (event) {
        ahead.push_back(event);
        changed.notify_all();
    } else {
        reached.push_back(ms_since(start));
    }
}

std::vector<double> Marks::times() {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [this] { return reached.size() == n_set; });
    return reached;
}

void Marks::wait_for_each() {
    std::unique_lock<std::mutex> lock(mutex);
    while (true) {
        changed.wait(lock, [this] { return done || !ahead.empty(); });
        if (ahead.empty()) {
            return;
        }
        auto event = ahead.front();
        ahead.pop_front();
        lock.unlock();
        ggml_backend_event_synchronize(event);
        const double at = ms_since(start);
        ggml_backend_event_free(event);
        lock.lock();
        reached.push_back(at);
        changed.notify_all();
    }
}
