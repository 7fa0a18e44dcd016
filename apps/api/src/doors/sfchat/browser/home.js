// Counts visits and clicks with Google Analytics, on the pages outside chats, where the operator has given an id for it.

const option = (name) => document.querySelector(`#googleAnalytics option[value="${name}"]`)?.textContent ?? '';

if (option('debugMode') === 'False' && option('trackingId') !== '') {
  window.ga = (...args) => window.ga.q.push(args);
  window.ga.q = [];
  window.ga('create', option('trackingId'), 'auto');
  window.ga('set', 'anonymizeIp', true);
  window.ga('send', 'pageview');
  const script = document.createElement('script');
  script.src = 'https://www.google-analytics.com/analytics.js';
  document.head.append(script);
  for (const [id, label] of [
    ['create_chat', 'create new chat'],
    ['join_chat', 'join to chat'],
  ])
    document.getElementById(id).addEventListener('click', () => window.ga('send', 'event', 'button', 'click', label));
}
