// The door's own pages for signing in and up, for operators without custom pages.

/** The Content Security Policy of the pages. */
export const policy = [
  ...["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "form-action 'self'"],
  ...["base-uri 'none'", "frame-ancestors 'none'"],
].join('; ');

interface Field {
  readonly name: string;
  readonly label: string;
  readonly type: 'text' | 'email' | 'password';
  /** The autocomplete hint for browsers. */
  readonly autocomplete: string;
}

interface FormPage {
  readonly title: string;
  /** The URL to which the form is sent. */
  readonly action: string;
  readonly button: string;
  readonly fields: readonly Field[];
  /** The link to the other page. */
  readonly other: { readonly text: string; readonly href: string; readonly label: string };
}

const loginPage: FormPage = {
  title: 'Login',
  action: '/api/login',
  button: 'Login',
  fields: [
    { name: 'username', label: 'User name', type: 'text', autocomplete: 'username' },
    { name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password' },
  ],
  other: { text: 'New here?', href: '/register', label: 'Sign up' },
};

const registerPage: FormPage = {
  title: 'Sign up',
  action: '/api/register',
  button: 'Sign up',
  fields: [
    { name: 'username', label: 'User name', type: 'text', autocomplete: 'username' },
    { name: 'email', label: 'E-mail', type: 'email', autocomplete: 'email' },
    { name: 'password1', label: 'Password', type: 'password', autocomplete: 'new-password' },
    { name: 'password2', label: 'Repeat password', type: 'password', autocomplete: 'new-password' },
  ],
  other: { text: 'Already registered?', href: '/login', label: 'Login' },
};

const html = (title: string, main: string, script = ''): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${title}</title>
    <link rel="stylesheet" href="/makechat/pages.css">
    ${script}
  </head>
  <body>
    <main>
${main}
    </main>
  </body>
</html>
`;

const formPage = ({ title, action, button, fields, other }: FormPage): string =>
  html(
    title,
    `      <h1>${title}</h1>
      <form method="post" action="${action}">
        <p id="problem" role="alert"></p>
${fields.map(fieldOf).join('\n')}
        <button type="submit">${button}</button>
      </form>
      <p>${other.text} <a href="${other.href}">${other.label}</a></p>
      <noscript><p>This page needs JavaScript.</p></noscript>`,
    '<script src="/makechat/pages.js" defer></script>',
  );

const fieldOf = ({ name, label, type, autocomplete }: Field): string =>
  `        <label for="${name}">${label}</label>
        <input id="${name}" name="${name}" type="${type}" autocomplete="${autocomplete}" aria-describedby="problem" required>`;

/** Sends the form as JSON. A refusal is shown, and the field that it names gets the focus. */
const script = `const form = document.querySelector('form');
const problem = document.querySelector('#problem');
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  problem.textContent = '';
  const body = JSON.stringify(Object.fromEntries(new FormData(form)));
  try {
    const answer = await fetch(form.action, {
      method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/json' }, body,
    });
    if (answer.ok) { location.assign('/dashboard'); return; }
    const { description } = await answer.json();
    problem.textContent = description;
    const named = [...form.elements].find(({ id }) => id && description.toLowerCase().includes(id.replace(/\\d$/, '')));
    (named ?? form.elements[0]).focus();
  } catch {
    problem.textContent = 'The service cannot be reached. Try again later.';
  }
});
`;

const style = `:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
main { max-width: 22rem; margin: 10vh auto; padding: 0 1rem }
form { display: grid; gap: .5rem }
input, button { font: inherit; padding: .5rem }
button { margin-top: .5rem }
#problem { margin: 0; min-height: 1.5em; color: #b3261e }
@media (prefers-color-scheme: dark) { #problem { color: #f2b8b5 } }
`;

interface Page {
  readonly type: 'text/html' | 'text/css' | 'text/javascript';
  readonly text: string;
}

export const ownPages: ReadonlyMap<string, Page> = new Map([
  ['/login', { type: 'text/html', text: formPage(loginPage) }],
  ['/register', { type: 'text/html', text: formPage(registerPage) }],
  ['/makechat/pages.css', { type: 'text/css', text: style }],
  ['/makechat/pages.js', { type: 'text/javascript', text: script }],
]);

export const notFoundPage: string = html(
  'Not found',
  `      <h1>Not found</h1>
      <p>There is nothing at this address. <a href="/dashboard">To the dashboard</a></p>`,
);

export const maintenancePage: string = html(
  'Maintenance',
  `      <h1>Maintenance</h1>
      <p>Please visit us later.</p>`,
);
