-- Endpoints in Neovim (0.7 or later): put this file into ~/.config/nvim/plugin.
--
--   :Chiltepin               shows the endpoints, live
--   :Chiltepin start NAME    starts one; so do stop, status, restart and logs
--
-- Needs chiltepin on PATH.
local client, buffer

local function show(list)
  if not buffer then
    buffer = vim.api.nvim_create_buf(false, true)
    vim.api.nvim_buf_set_name(buffer, 'chiltepin://endpoints')
  end
  local lines = {}
  for _, e in ipairs(list) do
    table.insert(lines, ('%-13s %s %s'):format(e.status, e.name, e.id or ''))
  end
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, lines)
end

local function call(method, params, done)
  client.request(method, params, function(err, result)
    if err then
      local lines = { err.message }
      for _, step in ipairs(type(err.data) == 'table' and err.data.next or {}) do
        table.insert(lines, 'next: ' .. (step['do'] or step.method .. ' ' .. vim.fn.json_encode(step.params or vim.empty_dict())))
      end
      vim.notify(table.concat(lines, '\n'), vim.log.levels.ERROR)
    elseif done then
      done(result)
    end
  end)
end

local function refresh()
  call('endpoint/list', vim.empty_dict(), function(result) show(result.endpoints) end)
end

local function connect(ready)
  if client then return ready() end
  vim.lsp.start_client({
    name = 'chiltepin',
    cmd = { 'chiltepin', 'rpc' },
    handlers = { ['endpoint/changed'] = refresh },
    on_init = function(c)
      client = c
      call('endpoint/watch', vim.empty_dict(), function(result) show(result.endpoints) ready() end)
    end,
    on_exit = function() client = nil end,
  })
end

vim.api.nvim_create_user_command('Chiltepin', function(command)
  local verb, name = command.fargs[1], command.fargs[2]
  connect(function()
    if not verb then return vim.api.nvim_win_set_buf(0, buffer) end
    call('endpoint/' .. verb, { name = name }, function(result)
      vim.notify(('%s: %s'):format(name, result.status or 'done'))
    end)
  end)
end, { nargs = '*' })
