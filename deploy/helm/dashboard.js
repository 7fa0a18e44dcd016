/**
 * The Grafana dashboard, from one table: each row has a title and panels of [title, unit, [expression, legend], ...].
 * `$job` is chosen at the top of the dashboard.
 */
const rows = [
  {
    title: 'At a glance',
    panels: [
      ['Replicas', 'none', ['count(verbatim_sockets{$where})', 'replicas']],
      ['Open sockets', 'none', ['sum(verbatim_sockets{$where})', 'sockets']],
      ['People connected', 'none', ['sum(verbatim_people{$where})', 'people']],
      ['Messages posted', 'cps', ['max(rate(verbatim_messages_total{$where}[5m]))', 'messages']],
      ['Registrations', 'cpm', ['60 * max(rate(verbatim_registrations_total{$where}[15m]))', 'registrations']],
      ['Outages', 'bool_yes_no', ['max by (server) (verbatim_outage{$where})', '{{server}}']],
    ],
  },
  {
    title: 'Event store',
    panels: [
      [
        'Time of appends',
        's',
        ['histogram_quantile(0.5, sum by (le) (rate(verbatim_store_append_seconds_bucket{$where}[5m])))', 'median'],
        ['histogram_quantile(0.99, sum by (le) (rate(verbatim_store_append_seconds_bucket{$where}[5m])))', '99 %'],
      ],
      [
        'Time of reads',
        's',
        ['histogram_quantile(0.5, sum by (le) (rate(verbatim_store_read_seconds_bucket{$where}[5m])))', 'median'],
        ['histogram_quantile(0.99, sum by (le) (rate(verbatim_store_read_seconds_bucket{$where}[5m])))', '99 %'],
      ],
      [
        'Appends and reads',
        'ops',
        ['sum(rate(verbatim_store_append_seconds_count{$where}[5m]))', 'appends'],
        ['sum(rate(verbatim_store_read_seconds_count{$where}[5m]))', 'reads'],
      ],
      ['Lag of subscriptions', 's', ['verbatim_store_subscription_lag_seconds{$where}', '{{instance}}']],
      ['Connections lost', 'none', ['increase(verbatim_store_reconnects_total{$where}[15m])', '{{instance}}']],
      [
        'Errors left out of the log',
        'none',
        ['increase(verbatim_outage_errors_total{$where}[15m])', '{{instance}} {{server}}'],
      ],
    ],
  },
  {
    title: 'Read models and live feed',
    panels: [
      ['Lag of read models (positions)', 'none', ['min(verbatim_projection_lag{$where})', 'lag']],
      ['Lag of search (positions)', 'none', ['min(verbatim_search_lag{$where})', 'lag']],
      [
        'Master key not confirmed, and root keys locked',
        's',
        ['max(verbatim_master_key_unconfirmed_seconds{$where})', 'not confirmed'],
        ['max(verbatim_master_key_locked{$where})', 'locked'],
      ],
      [
        'Failures of the master key',
        'none',
        ['increase(verbatim_master_key_failures_total{$where}[15m])', '{{instance}}'],
      ],
      ['Root key in use', 'none', ['verbatim_root_key{$where}', '{{instance}}']],
      ['Progress of the feed (positions)', 'cps', ['rate(verbatim_feed_position{$where}[5m])', '{{instance}}']],
      [
        'Lag of the queues of the feed (positions)',
        'none',
        ['max by (queue) (verbatim_feed_queue_lag{$where})', '{{queue}}'],
      ],
      [
        'Waiting in the queues of the feed',
        'none',
        ['max by (queue) (verbatim_feed_queue_waiting{$where})', '{{queue}}'],
      ],
      ['Lists read from the replica', 'none', ['verbatim_read_replica{$where}', '{{instance}}']],
      ['Sender of webhooks', 'none', ['verbatim_webhooks_sending{$where}', '{{instance}}']],
      ['Other replicas known', 'none', ['verbatim_other_replicas{$where}', '{{instance}}']],
      ['Presence updates dropped', 'none', ['increase(verbatim_presence_dropped_total{$where}[15m])', '{{instance}}']],
    ],
  },
  {
    title: 'Connections',
    panels: [
      ['Sockets', 'none', ['verbatim_sockets{$where}', '{{instance}}']],
      ['HTTP connections', 'none', ['verbatim_http_connections{$where}', '{{instance}}']],
      ['HTTP requests in flight', 'none', ['verbatim_http_requests{$where}', '{{instance}}']],
      ['Data waiting for clients', 'bytes', ['verbatim_waiting_bytes{$where}', '{{instance}}']],
      [
        'Connections ended',
        'none',
        ['increase(verbatim_ended_for_memory_total{$where}[15m])', '{{instance}} memory'],
        ['increase(verbatim_ended_for_slowness_total{$where}[15m])', '{{instance}} slowness'],
      ],
    ],
  },
  {
    title: 'Doors for older chat systems',
    panels: [
      ['chatable: sockets', 'none', ['verbatim_chatable_sockets{$where}', '{{instance}}']],
      ['chitchat: sockets', 'none', ['verbatim_chitchat_sockets{$where}', '{{instance}}']],
      ['chitchat: people in rooms', 'none', ['max(verbatim_chitchat_people{$where})', 'people']],
      ['SFChat: polls', 'none', ['verbatim_sfchat_polls{$where}', '{{instance}}']],
      ['SFChat: open chats', 'none', ['max(verbatim_sfchat_open_chats{$where})', 'chats']],
      ['SFChat: texts that wait', 'none', ['max(verbatim_sfchat_waiting_texts{$where})', 'texts']],
      ['chaTT: MQTT clients', 'none', ['verbatim_mqtt_clients{$where}', '{{instance}}']],
    ],
  },
  {
    title: 'Transparency log',
    panels: [
      ['Replicas that sign', 'none', ['sum(verbatim_log_signing{$where})', 'replicas']],
      ['Size', 'none', ['max(verbatim_log_size{$where})', 'events']],
      ['Events not covered yet', 'none', ['max(verbatim_log_uncovered{$where})', 'events']],
      ['Witnesses that have signed', 'none', ['max(verbatim_log_cosigned{$where})', 'witnesses']],
      ['Problems of witnesses', 'none', ['max(verbatim_log_witness_problems{$where})', 'witnesses']],
      ['Age of the newest cosignature', 's', ['max(verbatim_log_cosignature_age_seconds{$where})', 'age']],
      ['Time below the quorum', 's', ['max(verbatim_log_below_quorum_seconds{$where})', 'time']],
    ],
  },
  {
    title: 'Exports and erasures',
    panels: [
      ['Replicas that make bundles', 'none', ['sum(verbatim_exports_running{$where})', 'replicas']],
      ['Exports that are not finished', 'none', ['max(verbatim_exports_unfinished{$where})', 'exports']],
      ['Bundles kept', 'bytes', ['max(verbatim_exports_stored_bytes{$where})', 'bytes']],
      ['Erasures that are not finished', 'none', ['max(verbatim_erasures_unfinished{$where})', 'erasures']],
      ['Erasures that fail', 'none', ['max(verbatim_erasures_failing{$where})', 'erasures']],
    ],
  },
  {
    title: 'Processes',
    panels: [
      ['Processor time', 'percentunit', ['rate(process_cpu_seconds_total{$where}[5m])', '{{instance}}']],
      ['Memory', 'bytes', ['process_resident_memory_bytes{$where}', '{{instance}}']],
      ['Heap in use', 'bytes', ['nodejs_heap_size_used_bytes{$where}', '{{instance}}']],
      ['Delay of the event loop, 99 %', 's', ['nodejs_eventloop_lag_p99_seconds{$where}', '{{instance}}']],
      [
        'Garbage collection',
        'percentunit',
        ['sum by (instance) (rate(nodejs_gc_duration_seconds_sum{$where}[5m]))', '{{instance}}'],
      ],
      ['Uptime', 's', ['time() - process_start_time_seconds{$where}', '{{instance}}']],
    ],
  },
];

const WIDTH = 8;
const HEIGHT = 7;
const PER_LINE = 3;
const datasource = { type: 'prometheus', uid: '$datasource' };

function panelsOf(table) {
  let [id, y] = [0, 0];
  return table.flatMap(({ title, panels }) => {
    const top = y + 1;
    const row = { id: ++id, type: 'row', title, collapsed: false, panels: [], gridPos: { x: 0, y, w: 24, h: 1 } };
    y = top + Math.ceil(panels.length / PER_LINE) * HEIGHT;
    return [row, ...panels.map((panel, index) => panelOf(panel, ++id, index, top))];
  });
}

function panelOf([title, unit, ...queries], id, index, top) {
  return {
    id,
    type: 'timeseries',
    title,
    datasource,
    gridPos: { x: (index % PER_LINE) * WIDTH, y: top + Math.floor(index / PER_LINE) * HEIGHT, w: WIDTH, h: HEIGHT },
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi' } },
    targets: queries.map(([expression, legendFormat], query) => ({
      refId: String.fromCharCode(65 + query),
      datasource,
      expr: expression.replaceAll('$where', 'namespace=~"$namespace", job=~"$job"'),
      legendFormat,
    })),
  };
}

function variable(name, label, query) {
  return {
    name,
    label,
    type: 'query',
    datasource,
    query,
    refresh: 2,
    includeAll: true,
    allValue: '.*',
    multi: true,
    current: {},
  };
}

export const dashboard = {
  uid: 'verbatim',
  title: 'Verbatim',
  tags: ['verbatim'],
  timezone: 'browser',
  editable: true,
  refresh: '30s',
  schemaVersion: 39,
  time: { from: 'now-3h', to: 'now' },
  templating: {
    list: [
      { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', current: {} },
      variable('namespace', 'Namespace', 'label_values(verbatim_sockets, namespace)'),
      variable('job', 'Job', 'label_values(verbatim_sockets{namespace=~"$namespace"}, job)'),
    ],
  },
  panels: panelsOf(rows),
};
