#pragma once

#include <cstddef>
#include <string>

// A file of its owner's as memory: the system keeps its pages while there is room for them, and writes them out otherwise.
class MappedFile {
  public:
    // A new file of that size; the disk has room for all of it. `named`: false: it has no name, and nothing of it is left when
    // it is closed or the process ends in whatever way. Throws Failure "disk-full", "no-file"
    MappedFile(const std::string & path, size_t size, bool named);

    // One that exists. What is written stays this process's own. Throws Failure "no-file"
    explicit MappedFile(const std::string & path);

    ~MappedFile();

    MappedFile(const MappedFile &) = delete;
    MappedFile & operator=(const MappedFile &) = delete;

    void * data() const { return base; }
    size_t size() const { return length; }

    // Takes the pages of a new file out of the process's memory; they come back from the file when they are used.
    void release() const;

    // Has the system begin to read from the disk what of it memory does not hold; does not wait.
    void prefetch() const;

    // Waits until all of it is on the disk. Throws Failure "disk-full", "no-file"
    void sync() const;

  private:
    void map(int flags);

    void * base   = nullptr;
    size_t length = 0;
    int    file   = -1;
    bool   shared = true;
};
