import type { Chance } from './chance.js';

const list = (text: string): readonly string[] => text.trim().split(/\s*[|\n]\s*/);

const brief =
  list(`Thanks! | Thank you 🙏 | +1 | ok | OK, will do. | 👍 | 😄 | Done. | On it. | Not yet. | Same here. | Good morning
  Good morning everybody | Sounds good. | Yes, please. | No idea. | Me too | See you tomorrow | brb | Back. | Nice work! 🎉
  Danke! | Passt. | Guten Morgen zusammen | Bin gleich da. | Merci ! | D’accord. | ¿Seguro? | ¡Gracias! | Спасибо! | Хорошо
  ありがとうございます | 了解です | 谢谢 | شكرا`);

const opening =
  list(`I think | Did anybody notice that | As far as I can tell | By the way, | Just so you know, | It seems that
  I was wondering whether | After lunch we found that | According to the minutes, | Yesterday I saw that | Apparently
  Somebody told me that | If I understand it right, | Good news: | For the record, | Last time I looked,`);

const subject =
  list(`the new build | the meeting room | our supplier | the second draft | the train to the airport | the old printer
  the coffee machine | the registration form | the backup of last night | the map on the wall | the choir | the garden
  the translation | the invoice | the report for the board | the test server | the review | the newsletter | the front door
  the weather station | the schedule | the photo archive | the web site | the travel budget | the chess tournament
  the spreadsheet | the recording | the library catalogue | the delivery | the kitchen sink | the new colleague | the contract`);

const verb =
  list(`is ready | is late again | needs another look | works as before | was moved to Thursday | has to wait | looks much better
  is missing a page | costs less than we planned | arrives before noon | is full | was cancelled | starts at nine
  does not open any more | is in the wrong folder | depends on the other one | was answered already | is shorter now
  broke while nobody was looking | will be finished soon | got a new name | is waiting for a signature | went well`);

const rest =
  list(`so please have a look | and nobody knows why | because of the holiday | unless somebody objects | as we agreed in spring
  but I would not rely on it | which is fine with me | so let us talk about it tomorrow | and that is good enough for now
  at least on my machine | which explains the noise | so I will ask once more | though the numbers say otherwise
  and the rest can follow next week | if the key is where it should be`);

const elsewhere: readonly (readonly string[])[] = [
  list(`Ich habe die Unterlagen noch einmal durchgesehen, es fehlt nur die letzte Seite. | Wer hat den Schlüssel für den Besprechungsraum?
    Die Lieferung kommt erst am Donnerstag, also bitte nichts umräumen. | Können wir das auf nächste Woche verschieben?
    Der Drucker im zweiten Stock geht wieder. | Für das Sommerfest fehlen uns noch zwei Bänke und ein Grill.
    Übrigens: die Übersetzung ist fertig und liegt im Ordner. | Das klingt vernünftig, machen wir es so.`),
  list(`Quelqu’un a vu le compte rendu de la réunion de mardi ? | Le théâtre est complet, mais il reste deux places pour dimanche.
    Je passe à la bibliothèque vers midi. | La nouvelle version marche très bien chez moi. | On se retrouve à la gare à huit heures.`),
  list(`¿Alguien sabe cuándo abre la oficina mañana? | He dejado el informe encima de la mesa. | La reunión empieza a las nueve y media.
    Mañana no puedo, pero el jueves sí. | Qué buena noticia, enhorabuena a todos.`),
  list(`Кто-нибудь видел ключ от библиотеки? | Отчёт готов, посмотрите, пожалуйста, до пятницы. | Завтра встречаемся у входа в девять.
    Новая сборка работает, старую можно удалить. | Погода хорошая, поехали за город!`),
  list(
    `明日の会議は十時からです。 | 資料を共有フォルダに入れました。 | 写真がとてもきれいですね。 | すみません、少し遅れます。`,
  ),
];

const syllables = list('ba|de|fi|go|hu|ka|le|mi|no|pu|ra|se|ti|vo|wu|xa|ye|zi|lor|men|tan|ris|vel|dor');

/** Message texts: sentences in a few languages, some with rare names and numbers. */
export class MadeUpTalk {
  constructor(private readonly chance: Chance) {}

  next(): string {
    const { chance } = this;
    if (chance.happens(0.18)) return chance.pick(brief);
    if (chance.happens(0.15)) return chance.pick(chance.pick(elsewhere));
    const sentences = Array.from({ length: chance.pick([1, 1, 1, 2, 2, 3, 5]) }, () => this.sentence());
    return sentences.join(' ');
  }

  /** The topic of a room. */
  topic(): string {
    return this.chance.pick([`All about ${this.chance.pick(subject)}`, this.chance.pick(brief), this.sentence()]);
  }

  /** A reason or a note. */
  remark(): string {
    return this.chance.pick(['Off topic', 'Spam', 'Rude', 'Posted in the wrong room', 'Looked at it, all is well']);
  }

  private sentence(): string {
    const { chance } = this;
    const plain = `${chance.pick(opening)} ${chance.pick(subject)} ${chance.pick(verb)}`;
    const more = chance.happens(0.5) ? `, ${chance.pick(rest)}` : '';
    return `${plain}${more}${chance.happens(0.35) ? ` (${this.rare()})` : ''}.`;
  }

  /** A number or a made-up word; higher ranks are rarer, as in natural language. */
  private rare(): string {
    const { chance } = this;
    const rank = Math.floor(1 / (chance.share() + 0.000_02));
    const kind = chance.below(4);
    if (kind === 0) return `ticket ${1_000 + rank}`;
    if (kind === 1) return `page ${chance.between(1, 300)}`;
    return `${kind === 2 ? 'see ' : ''}${wordOf(rank)}`;
  }
}

function wordOf(rank: number): string {
  let word = '';
  for (let left = rank + syllables.length; left > 0; left = Math.floor(left / syllables.length))
    word += syllables[left % syllables.length];
  return word;
}
