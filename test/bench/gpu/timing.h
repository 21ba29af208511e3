#pragma once

// How much memory a device has in use, and when it came to a point of its work
#include "gpu-bench.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>

// the device memory in use, by whoever, and its highest value while this lives
class Watch {
  public:
    explicit Watch(ggml_backend_dev_t device) : device(device) {
        thread = std::thread([this] {
            while (!done) {
                sample();
                std::this_thread::sleep_for(std::chrono::milliseconds(setting("WATCH", 2)));
            }
        });
    }
    ~Watch() {
        done = true;
        thread.join();
    }
    size_t sample() {
        const size_t used = in_use(device);
        size_t seen = peak;
        while (seen < used && !peak.compare_exchange_weak(seen, used)) {}
        return used;
    }
    static size_t in_use(ggml_backend_dev_t device) {
        size_t free = 0, total = 0;
        ggml_backend_dev_memory(device, &free, &total);
        return total - free;
    }
    std::atomic<size_t> peak{0};

  private:
    ggml_backend_dev_t device;
    std::atomic<bool>  done{false};
    std::thread        thread;
};

// Marks in what a device is given to do, and the times at which it came to each, without stopping it: a thread waits for the event
// that each mark is. A backend without events has done all that it was given.
class Marks {
  public:
    explicit Marks(ggml_backend_t backend);
    ~Marks();

    void set();

    // of all marks so far, in ms: waits for the last
    std::vector<double> times();

  private:
    void wait_for_each();

    ggml_backend_t              backend;
    const Clock::time_point     start = Clock::now();
    std::mutex                  mutex;
    std::condition_variable     changed;
    std::deque<ggml_backend_event_t> ahead;
    std::vector<double>         reached;
    size_t                      n_set = 0;
    bool                        done  = false;
    std::thread                 thread;
};
