// What jemalloc, the allocator of the daemon (main/CMakeLists.txt), reads before main begins.

// What a burst needed goes back to the system a tenth of a second later, from a thread of the
// allocator's own, also when no call comes any more; as long as calls come, pages are used again.
// One arena, since nearly everything is allocated and freed on the loop.
extern "C" const char* malloc_conf;
const char* malloc_conf =
    "narenas:1,background_thread:true,max_background_threads:1,dirty_decay_ms:100,"
    "muzzy_decay_ms:0";
