#include "mapped-file.h"

#include "job.h"

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

void MappedFile::map(int) {}

void MappedFile::release() const {}

void MappedFile::prefetch() const {}

void MappedFile::sync() const {}

#else

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static Failure failure(int reason) {
    return Failure(reason == ENOSPC ? "disk-full" : "no-file", std::strerror(reason));
}

// room on the disk for all of it: memory without it would end the process when it is written to
static int reserve(int file, size_t size) {
#if defined(__APPLE__)
    fstore_t store = { F_ALLOCATEALL, F_PEOFPOSMODE, 0, off_t(size), 0 };
    return fcntl(file, F_PREALLOCATE, &store) == 0 && ftruncate(file, off_t(size)) == 0 ? 0 : errno;
#else
    return posix_fallocate(file, 0, off_t(size));
#endif
}

MappedFile::MappedFile(const std::string & path, size_t size, bool named) : length(size) {
    file = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) {
        throw failure(errno);
    }
    if (!named) {
        unlink(path.c_str());
    }
    if (const int status = reserve(file, size)) {
        if (named) {
            unlink(path.c_str());
        }
        close(file);
        throw failure(status);
    }
    map(MAP_SHARED);
}

MappedFile::MappedFile(const std::string & path) : shared(false) {
    file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat about;
    if (file < 0 || fstat(file, &about) != 0) {
        throw failure(errno);
    }
    length = size_t(about.st_size);
    map(MAP_PRIVATE);
}

void MappedFile::map(int flags) {
    base = length > 0 ? mmap(nullptr, length, PROT_READ | PROT_WRITE, flags, file, 0) : MAP_FAILED;
    if (base == MAP_FAILED) {
        const int reason = length > 0 ? errno : EINVAL;
        close(file);
        throw failure(reason);
    }
}

MappedFile::~MappedFile() {
    munmap(base, length);
    close(file);
}

void MappedFile::release() const {
    // of an existing file this would take back what was written
    if (shared) {
        madvise(base, length, MADV_DONTNEED);
    }
}

void MappedFile::prefetch() const {
    madvise(base, length, MADV_WILLNEED);
}

void MappedFile::sync() const {
    if (msync(base, length, MS_SYNC) != 0) {
        throw failure(errno);
    }
}

#endif
