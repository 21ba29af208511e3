#include "mapped-file.h"

#include "job.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#if defined(_WIN32)

MappedFile::MappedFile(const std::string &, size_t, bool) {
    throw Failure("no-file", "it is not supported on this system");
}

MappedFile::MappedFile(const std::string &) {
    throw Failure("no-file", "it is not supported on this system");
}

MappedFile::~MappedFile() = default;

bool MappedFile::holds() const { return false; }

void MappedFile::release() const {}

void MappedFile::prefetch() const {}

void MappedFile::name() {}

void MappedFile::settle(const std::vector<Stretch> &) {}

#else

#include <csignal>
#include <fcntl.h>
#include <mutex>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static Failure failure(int reason) {
    return Failure(reason == ENOSPC ? "disk-full" : "no-file", std::strerror(reason));
}

// The mapped files that a signal handler looks for: it must not wait for a lock, nor allocate.
struct Watched {
    static constexpr size_t n_most = 64;
    static std::atomic<MappedFile *> files[n_most];
    static struct sigaction before;

    // SIGBUS: a page that cannot be had. All of the file's are replaced at once, since there can be millions
    static void on_fault(int signal, siginfo_t * info, void * context) {
        const auto at = uintptr_t(info->si_addr);
        for (auto & entry : files) {
            MappedFile * file = entry.load();
            if (file && at - uintptr_t(file->base) < file->length) {
                file->lost = true;
                if (mmap(file->base, file->length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != MAP_FAILED) {
                    return;
                }
            }
        }
        // another's: as if this handler were not there
        if (before.sa_flags & SA_SIGINFO) {
            before.sa_sigaction(signal, info, context);
        } else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
            before.sa_handler(signal);
        } else {
            sigaction(SIGBUS, &before, nullptr);
        }
    }

    static void add(MappedFile * file) {
        static std::once_flag once;
        std::call_once(once, [] {
            struct sigaction action = {};
            action.sa_sigaction = on_fault;
            action.sa_flags     = SA_SIGINFO | SA_ONSTACK;
            sigaction(SIGBUS, &action, &before);
        });
        for (auto & entry : files) {
            MappedFile * none = nullptr;
            if (entry.compare_exchange_strong(none, file)) {
                return;
            }
        }
        throw Failure("no-file", "too many are in use");
    }

    static void remove(MappedFile * file) {
        for (auto & entry : files) {
            MappedFile * same = file;
            entry.compare_exchange_strong(same, nullptr);
        }
    }
};

std::atomic<MappedFile *> Watched::files[Watched::n_most];
struct sigaction Watched::before;

// room on the disk for all of it: memory without it would end the process when it is written to
static int reserve(int file, size_t size) {
#if defined(__APPLE__)
    fstore_t store = { F_ALLOCATEALL, F_PEOFPOSMODE, 0, off_t(size), 0 };
    return fcntl(file, F_PREALLOCATE, &store) == 0 && ftruncate(file, off_t(size)) == 0 ? 0 : errno;
#else
    return posix_fallocate(file, 0, off_t(size));
#endif
}

static std::string folder_of(const std::string & path) {
    const size_t end = path.rfind('/');
    return end == std::string::npos ? "." : path.substr(0, std::max<size_t>(end, 1));
}

// a new file of that size in the path's folder: without a name where the system can give it one later, or none is wanted.
// Throws Failure "disk-full", "no-file"
static int create(const std::string & path, size_t size, bool named, bool & has_name) {
    int file = -1;
#if defined(O_TMPFILE)
    file = open(folder_of(path).c_str(), O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
#endif
    has_name = file < 0;
    if (has_name && (file = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0) {
        throw failure(errno);
    }
    if (has_name && !named) {
        unlink(path.c_str());
    }
    if (const int status = reserve(file, size)) {
        if (has_name && named) {
            unlink(path.c_str());
        }
        close(file);
        throw failure(status);
    }
    return file;
}

MappedFile::MappedFile(const std::string & path, size_t size, bool named) : path(path), length(size) {
    file = create(path, size, named, has_name);
    map(PROT_READ | PROT_WRITE);
}

MappedFile::MappedFile(const std::string & path) : path(path), is_read_only(true) {
    file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat about;
    if (file < 0 || fstat(file, &about) != 0) {
        throw failure(errno);
    }
    length = size_t(about.st_size);
    note_time();
    map(PROT_READ);
}

void MappedFile::map(int protection) {
    base = length > 0 ? mmap(nullptr, length, protection, MAP_SHARED, file, 0) : MAP_FAILED;
    const int reason = length > 0 ? errno : EINVAL;
    if (base == MAP_FAILED) {
        close(file);
        throw failure(reason);
    }
    try {
        Watched::add(this);
    } catch (...) {
        munmap(base, length);
        close(file);
        throw;
    }
}

MappedFile::~MappedFile() {
    Watched::remove(this);
    munmap(base, length);
    close(file);
}

static int64_t time_of(const struct stat & about) {
#if defined(__APPLE__)
    const auto & time = about.st_mtimespec;
#else
    const auto & time = about.st_mtim;
#endif
    return int64_t(time.tv_sec)*1000000000 + time.tv_nsec;
}

void MappedFile::note_time() {
    struct stat about;
    changed = fstat(file, &about) == 0 ? time_of(about) : 0;
}

bool MappedFile::holds() const {
    struct stat about;
    return fstat(file, &about) == 0 && size_t(about.st_size) == length && (!is_read_only || time_of(about) == changed) && !lost;
}

void MappedFile::release() const {
    // of what took a lost file's place nothing would come back
    if (!lost) {
        madvise(base, length, MADV_DONTNEED);
    }
}

void MappedFile::prefetch() const {
    madvise(base, length, MADV_WILLNEED);
}

void MappedFile::name() {
    if (msync(base, length, MS_SYNC) != 0 || fsync(file) != 0) {
        throw failure(errno);
    }
    if (!has_name) {
        const std::string open_file = "/proc/self/fd/" + std::to_string(file);
        if (linkat(AT_FDCWD, open_file.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) != 0) {
            throw failure(errno);
        }
        has_name = true;
    }
}

// all of it; false: errno says why
static bool write_all(int file, const uint8_t * data, size_t size, size_t at) {
    while (size > 0) {
        const ssize_t n = pwrite(file, data, size, off_t(at));
        if (n < 0 && errno != EINTR) {
            return false;
        }
        const size_t done = n < 0 ? 0 : size_t(n);
        data += done;
        size -= done;
        at   += done;
    }
    return true;
}

void MappedFile::settle(const std::vector<Stretch> & stretches) {
    const size_t page = size_t(sysconf(_SC_PAGESIZE));
    const auto first = [&](const Stretch & one) { return one.begin - one.begin%page; };
    size_t total = 0;
    for (const auto & one : stretches) {
        total += one.end - first(one);
    }
    bool beside_has_name;
    const int beside = create(path + ".answer", std::max<size_t>(total, 1), false, beside_has_name);

    // what the first page holds of before, and what is used already, goes there, too
    auto * bytes = (uint8_t *) base;
    bool done = true;
    size_t at = 0;
    for (const auto & one : stretches) {
        done = done && write_all(beside, bytes + first(one), one.used - first(one), at);
        at += one.end - first(one);
    }
    if (!is_read_only) {
        is_read_only = true;
        note_time();
    }
    done = done && mmap(base, length, PROT_READ, MAP_SHARED | MAP_FIXED, file, 0) != MAP_FAILED;
    at = 0;
    for (const auto & one : stretches) {
        const size_t size = one.end - first(one);
        done = done && mmap(bytes + first(one), size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, beside, off_t(at)) != MAP_FAILED;
        at += size;
    }
    const int reason = errno;
    close(beside); // its pages keep it
    if (!done) {
        lost = true;
        throw failure(reason);
    }
}

#endif
