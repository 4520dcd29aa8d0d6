{
  "targets": [{
    "target_name": "simplugin",
    "sources": ["src/addon.c", "src/call.c", "src/log.c", "src/pin.cc", "src/pool.c", "src/result.c"],
    "cflags": ["<!@(node scripts/library.js --cflags)", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-fvisibility=hidden", "-pthread"],
    "cflags_c": ["-std=c11"],
    "libraries": ["<!@(node scripts/library.js --libs)"],
    "ldflags": ["-Wl,-z,nodelete", "-pthread"]
  }]
}
