-- What tests/lua.t runs, here and in the guest: both must print the same.

local function counter()
	local n = 0
	return function() n = n + 1; return n end
end
local a, b = counter(), counter()
a(); a(); b()
print('closures', a(), b())

local function walk(tree)
	if tree then
		walk(tree.left)
		coroutine.yield(tree.value)
		walk(tree.right)
	end
end
local function insert(tree, value)
	if not tree then return { value = value } end
	local side = value < tree.value and 'left' or 'right'
	tree[side] = insert(tree[side], value)
	return tree
end
local tree
for i = 1, 200 do tree = insert(tree, i * 7919 % 1009) end
local sum, last, sorted = 0, -1, true
for value in coroutine.wrap(function() walk(tree) end) do
	sorted = sorted and last <= value
	sum, last = sum + value, value
end
print('coroutines', sum, sorted)

local words = {}
for word in ('the quick brown fox jumps over the lazy dog the end'):gmatch('%a+') do
	words[word] = (words[word] or 0) + 1
end
local names = {}
for word, times in pairs(words) do names[#names + 1] = ('%s=%d'):format(word, times) end
table.sort(names)
print('strings', table.concat(names, ' '), ('%.10g %5.2f %x'):format(math.pi, 2 / 3, 255))
print('gsub', ('hello world'):gsub('o', '0'), ('abc'):rep(3, '-'), ('x'):byte())

local most = 0
for round = 1, 30 do
	local garbage = {}
	for i = 1, 5000 do garbage[i] = { tostring(i) .. 'garbage' } end
	most = math.max(most, collectgarbage('count'))
end
collectgarbage()
print('gc', collectgarbage('count') < 1000, most < 40000)

local name = os.tmpname()
local file = assert(io.open(name, 'w'))
for i = 1, 1000 do file:write(i, ' ', i * i, '\n') end
file:close()
local lines, total = 0, 0
for line in io.lines(name) do
	lines = lines + 1
	total = total + tonumber(line:match(' (%d+)$'))
end
file = io.open(name, 'r+')
file:seek('set', 2)
file:write('9')
file:seek('set')
print('io', lines, total, file:read('l'), file:seek('end'))
file:close()
print('remove', os.rename(name, name .. '2'), os.remove(name .. '2'), io.open(name) == nil)

print('execute', os.execute('exit 3'))
local pipe = io.popen('echo from a shell; exit 4')
print('popen', pipe:read('a'), pipe:close())
print('pcall', pcall(error, { 1 }) == false, select(2, pcall(error, 'message', 0)))
print('time', os.time() > 1500000000, os.date('!%Y-%m-%d', 86400), os.getenv('NOTHING'))
print('integers', math.maxinteger, math.mininteger // -1, 7 // 2, -7 // 2, 7 % -3, 1 << 62)
