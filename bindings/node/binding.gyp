{
  "targets": [{
    "target_name": "simplugin",
    "sources": ["src/addon.c", "src/call.c", "src/log.c", "src/pool.c", "src/result.c"],
    "cflags": ["<!@(node scripts/library.js --cflags)", "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-fvisibility=hidden", "-pthread"],
    "libraries": ["<!@(node scripts/library.js --libs)"],
    "ldflags": ["-Wl,-z,nodelete", "-pthread"]
  }]
}
