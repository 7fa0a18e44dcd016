/** The style sheet of the pages. Bubbles have the colour that their author chose. */
export const pageStyle = `:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 50rem; padding: 0 1rem 2rem; }
header { padding: 1rem 0; font-weight: bold; }
.skip:not(:focus) { position: absolute; left: -100rem; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: start; padding: .25rem 0; }
th, td { text-align: start; padding: .25rem .5rem .25rem 0; border-bottom: 1px solid #8886; overflow-wrap: anywhere; }
form:not([hidden]) { display: grid; gap: .75rem; max-width: 30rem; }
label:not([hidden]) { display: grid; gap: .25rem; }
fieldset { display: grid; gap: .25rem; border: 1px solid #8886; }
fieldset label:not([hidden]) { display: flex; gap: .5rem; }
input:not([type=radio]), select, textarea, button { font: inherit; padding: .5rem; }
:focus-visible { outline: 3px solid #7386d5; outline-offset: 2px; }
[role=alert]:not(:empty) { color: light-dark(#a11, #f99); font-weight: bold; }
.chat, .say { display: grid; gap: .5rem; }
#chat-box { height: 50vh; overflow-y: auto; border: 1px solid #8886; padding: .5rem; }
.bubble { width: fit-content; max-width: 80%; margin: 0 0 .5rem; }
.bubble.own { margin-inline-start: auto; }
.bubble small { display: block; }
.bubble span { display: inline-block; padding: .25rem .75rem; border-radius: 1rem; white-space: pre-wrap; overflow-wrap: anywhere; background: #4f61a8; color: #fff; }
[data-color=blue] span { background: #1565c0; }
[data-color=red] span { background: #b3102f; }
[data-color=green] span { background: #23703f; }
[data-color=gray] span { background: #e4e4e4; color: #000; }
[data-color=turquoise] span { background: #40e0d0; color: #000; }
[data-color=indigo] span { background: #4b0082; }
[data-color=magenta] span { background: #8b008b; }
[data-color=black] span { background: #000; }
[data-color=yellow] span { background: #ffd700; color: #000; }
[data-color=orange] span { background: #ff8c00; color: #000; }
`;
