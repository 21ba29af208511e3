#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// A file of its owner's as memory: the system keeps its pages while there is room for them, and writes them out otherwise.
// Where pages cannot be had (the file was cut short, its disk fails), the process does not end, as it would otherwise: empty
// memory takes the place of all of them, and the file no longer holds().
class MappedFile {
  public:
    // A new file of that size; the disk has room for all of it. Where the system allows it, it has no name, and nothing of it is
    // left when it is closed or the process ends in whatever way. `named`: it will be given this name, and has it from the
    // start where the system cannot name it later. Throws Failure "disk-full", "no-file"
    MappedFile(const std::string & path, size_t size, bool named);

    // One that exists, to be read. Throws Failure "no-file"
    explicit MappedFile(const std::string & path);

    ~MappedFile();

    MappedFile(const MappedFile &) = delete;
    MappedFile & operator=(const MappedFile &) = delete;

    void * data() const { return base; }
    size_t size() const { return length; }

    // Whether what was read of it so far is what was written. That an existing or settled file was changed is seen by the time
    // of its last change
    bool holds() const;

    // Takes its pages out of the process's memory; they come back from the file when they are used.
    void release() const;

    // Has the system begin to read from the disk what of it memory does not hold; does not wait.
    void prefetch() const;

    // Waits until all of it is on the disk, and gives it its name. Throws Failure "disk-full", "no-file"
    void name();

    // bytes from `begin`, of which those up to `used` hold something, to `end`, where a page ends
    struct Stretch { size_t begin, used, end; };

    // The file is only read from now on: what is written to these stretches goes to a nameless one beside it. Throws Failure
    // "disk-full", "no-file", and then the file may no longer hold()
    void settle(const std::vector<Stretch> & stretches);

  private:
    void map(int protection);
    void note_time();

    std::string path;
    void * base   = nullptr;
    size_t length = 0;
    int    file   = -1;
    bool   has_name = true;
    bool   is_read_only = false;
    int64_t changed = 0; // its time of last change in nanoseconds, once it is only read
    std::atomic<bool> lost{false};

    friend struct Watched;
};
