-- For wrk: sends the requests of the file $REQUESTS in turn (one a line: method, path, token or nothing, separated by tabs), and says
-- at the end what came back, in one line of JSON.
local requests, sent = {}, 0

function init()
   for line in io.lines(os.getenv("REQUESTS")) do
      local method, path, token = line:match("^([^\t]*)\t([^\t]*)\t([^\t]*)$")
      local headers = {}
      if token ~= "" then headers["Authorization"] = "Bearer " .. token end
      requests[#requests + 1] = wrk.format(method, path, headers)
   end
end

function request()
   sent = sent % #requests + 1
   return requests[sent]
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      'JSON{"requests":%d,"seconds":%f,"bytes":%d,"p50_ms":%f,"p99_ms":%f,"refused":%d,"broken":%d}\n',
      summary.requests, summary.duration / 1e6, summary.bytes, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
      errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
