-- Send the requests of a file in turn, for ever: wrk -s replay.lua URL -- FILE
-- Each line: method TAB path TAB authorization header (or nothing) TAB body (or nothing).
-- Requests are rendered before the measurement starts. Prints one line of JSON at the end.

local requests = {}
local at = 0

function init(args)
  for line in io.lines(args[1]) do
    local method, path, authorization, body = line:match("^(%u+)\t([^\t]*)\t([^\t]*)\t(.*)$")
    local headers = {["Host"] = wrk.host .. ":" .. wrk.port}
    if authorization ~= "" then headers["Authorization"] = authorization end
    if body ~= "" then headers["Content-Type"] = "application/json" else body = nil end
    requests[#requests + 1] = wrk.format(method, path, headers, body)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.4f, "p50_us": %d, "p95_us": %d, "p99_us": %d, "max_us": %d, ' ..
    '"refused": %d, "broken": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(95),
    latency:percentile(99), latency.max, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
