-- What wrk posts: each request moves one of a thousand orders to a table where it never was.
-- wrk ... -s orders.lua URL -- SECRET TURN
local ORDERS = 1000
local turn, made = 0, 0

function init(arguments)
   turn = tonumber(arguments[2])
   wrk.method = "POST"
   wrk.headers["Authorization"] = "Bearer " .. arguments[1]
   wrk.headers["Content-Type"] = "application/json"
end

function request()
   local name, place = 1000 + made % ORDERS, 1000000 * turn + math.floor(made / ORDERS) + 1
   made = made + 1
   return wrk.format(nil, nil, nil, string.format('{"name":"%d","orderType":"ON_PREMISE","locationName":"%d"}', name, place))
end

function done(summary, latency, requests)
   local errors = summary.errors
   local failed = errors.status + errors.connect + errors.read + errors.write + errors.timeout
   io.write(string.format("answered %d %d %f %f %d\n", summary.requests, failed, latency:percentile(50),
      latency:percentile(99), summary.duration))
end
