import { normalize } from '@verbatim/domain';
import type { Chance } from './chance.js';

/** Names, followed after a slash by their spelling in usernames where it differs. */
interface Names {
  readonly given: readonly string[];
  readonly family: readonly string[];
  /** The family name comes first, with or without a space after it. */
  readonly familyFirst?: '' | ' ';
}

const words = (list: string): readonly string[] => list.trim().split(/\s+/);

const english: Names = {
  given:
    words(`Ada Alan Alice Amelia Andrew Anna Arthur Barbara Ben Carla Charles Clara Daniel David Diana Edward Ella Emma
    Eric Eva Frank Fred George Grace Hannah Harry Helen Henry Hugo Ian Irene Jack James Jane Joan John Julia Kate Laura
    Leo Lily Linda Lucy Maria Mark Martha Martin Mary Max Mia Nina Noah Nora Oliver Oscar Paul Peter Rachel Robert Rosa
    Ruth Sam Sarah Simon Sophie Theo Thomas Tim Tom Vera Victor Walter William Zoe`),
  family: words(`Adams Allen Baker Barnes Bell Bennett Brooks Brown Butler Carter Clark Coleman Cook Cooper Cox Davies
    Dixon Edwards Ellis Evans Fisher Foster Gibson Gray Green Griffin Hall Harper Harris Hill Howard Hughes Hunt Jackson
    Jenkins Johnson Jones Kelly King Knight Lewis Lovelace Marsh Mason Miller Mills Moore Morgan Morris Murphy Murray
    Nelson Newton Owens Palmer Parker Payne Pearson Perry Porter Powell Price Reed Reynolds Rice Roberts Rogers Russell
    Shaw Simpson Smith Spencer Stone Taylor Thompson Turner Walker Ward Watson Webb Wells West White Wood Wright Young`),
};

const german: Names = {
  given:
    words(`Anke Annika Björn/bjoern Dörte/doerte Franz Gerda Greta Heike Ines Jörg/joerg Jürgen/juergen Karin Käthe/kaethe
    Klaus Lena Lukas Matthias Mira Nils Ömer/oemer Petra Rainer Sabine Sönke/soenke Steffen Tobias Ulrike Uwe Wiebke`),
  family:
    words(`Bäcker/baecker Becker Böhm/boehm Fischer Fuchs Günther/guenther Hoffmann Jäger/jaeger Kaiser Keller Köhler/koehler
    Krüger/krueger Lange Maier Möller/moeller Müller/mueller Neumann Richter Schäfer/schaefer Schmidt Schröder/schroeder
    Schulz Strauß/strauss Voß/voss Wagner Weiß/weiss Winkler Zimmermann`),
};

const french: Names = {
  given:
    words(`Adèle/adele Agnès/agnes Benoît/benoit Cécile/cecile Chloé/chloe Élodie/elodie Émile/emile François/francois
    Gaëlle/gaelle Hélène/helene Jérôme/jerome Léa/lea Loïc/loic Mathilde Noël/noel Océane/oceane Pierre René/rene Yves Zoé/zoe`),
  family:
    words(`Aubert Bernard Boucher Chevalier Durand Dupré/dupre Fabre Faure Garnier Girard Lacroix Lefèvre/lefevre Leroux
    Marchand Masson Mercier Moreau Noël/noel Petit Renaud Rousseau Séguin/seguin Simon Vidal`),
};

const iberian: Names = {
  given:
    words(`Álvaro/alvaro Begoña/begona Belén/belen Carmen César/cesar Conceição/conceicao Inês/ines Íñigo/inigo João/joao
    José/jose Lucía/lucia Mateo Nuño/nuno Pilar Raúl/raul Rocío/rocio Sofía/sofia Tomás/tomas Ximena Zaira`),
  family:
    words(`Araújo/araujo Castro Díaz/diaz Fernández/fernandez García/garcia Gómez/gomez Guimarães/guimaraes Ibáñez/ibanez
    Lopes Magalhães/magalhaes Muñoz/munoz Núñez/nunez Ortega Peña/pena Pérez/perez Ramos Ruiz Sánchez/sanchez Vázquez/vazquez`),
};

const polish: Names = {
  given:
    words(`Agnieszka Bożena/bozena Grażyna/grazyna Jędrzej/jedrzej Krzysztof Łucja/lucja Łukasz/lukasz Małgorzata/malgorzata
    Michał/michal Paweł/pawel Stanisław/stanislaw Wojciech Zbigniew Żaneta/zaneta`),
  family:
    words(`Adamczyk Dąbrowski/dabrowski Jabłoński/jablonski Kamiński/kaminski Kowalczyk Lewandowski Malinowski Nowak
    Pawłowski/pawlowski Szymański/szymanski Wiśniewska/wisniewska Wójcik/wojcik Woźniak/wozniak Zając/zajac`),
};

const russian: Names = {
  given:
    words(`Алексей/alexey Анна/anna Борис/boris Вера/vera Галина/galina Дмитрий/dmitri Екатерина/ekaterina Иван/ivan
    Ирина/irina Лев/lev Мария/maria Николай/nikolai Ольга/olga Павел/pavel Сергей/sergei Софья/sofya Юлия/yulia Яна/yana`),
  family:
    words(`Белов/belov Волков/volkov Громова/gromova Жуков/zhukov Зайцева/zaitseva Иванов/ivanov Кузнецов/kuznetsov
    Лебедева/lebedeva Морозов/morozov Новикова/novikova Орлов/orlov Петрова/petrova Смирнов/smirnov Соколова/sokolova`),
};

const greek: Names = {
  given: words(
    `Αθηνά/athina Γιώργος/giorgos Δημήτρης/dimitris Ελένη/eleni Ιωάννα/ioanna Κώστας/kostas Μαρία/maria Νίκος/nikos Σοφία/sofia`,
  ),
  family: words(
    `Αντωνίου/antoniou Γεωργίου/georgiou Δημητρίου/dimitriou Κωνσταντίνου/konstantinou Νικολάου/nikolaou Παπαδόπουλος/papadopoulos`,
  ),
};

const japanese: Names = {
  given: words(
    `愛/ai 葵/aoi 健太/kenta 健/ken 美咲/misaki 直樹/naoki 蓮/ren 桜/sakura 翔太/shota 太郎/taro 陽菜/hina 優子/yuko 結衣/yui`,
  ),
  family: words(
    `阿部/abe 伊藤/ito 加藤/kato 小林/kobayashi 佐藤/sato 鈴木/suzuki 高橋/takahashi 田中/tanaka 中村/nakamura 山本/yamamoto 渡辺/watanabe`,
  ),
  familyFirst: ' ',
};

const chinese: Names = {
  given: words(
    `芳/fang 伟/wei 秀英/xiuying 娜/na 敏/min 静/jing 强/qiang 磊/lei 军/jun 洋/yang 勇/yong 艳/yan 杰/jie 涛/tao 明/ming`,
  ),
  family: words(
    `王/wang 李/li 张/zhang 刘/liu 陈/chen 杨/yang 黄/huang 赵/zhao 吴/wu 周/zhou 徐/xu 孙/sun 马/ma 朱/zhu 胡/hu 林/lin`,
  ),
  familyFirst: '',
};

const arabic: Names = {
  given: words(
    `أحمد/ahmad أمينة/amina حسن/hasan خالد/khalid ريم/reem زينب/zainab سعيد/said عمر/omar فاطمة/fatima ليلى/layla مريم/maryam يوسف/yusuf`,
  ),
  family: words(
    `الحداد/haddad الخطيب/khatib الشامي/shami المصري/masri النجار/najjar سليمان/sulaiman منصور/mansour ناصر/nasser`,
  ),
};

const hindi: Names = {
  given: words(
    `अनिल/anil आशा/asha गीता/gita दीपक/deepak नेहा/neha प्रिया/priya राहुल/rahul रवि/ravi सुनीता/sunita विजय/vijay`,
  ),
  family: words(`कुमार/kumar गुप्ता/gupta जोशी/joshi पटेल/patel मेहता/mehta वर्मा/varma शर्मा/sharma सिंह/singh`),
};

/** How often each occurs here is how often it is picked. */
const everybody = [
  ...Array<Names>(10).fill(english),
  ...[german, german, german, german, french, french, french, iberian, iberian, iberian, polish, polish],
  ...[russian, russian, greek, japanese, japanese, chinese, chinese, arabic, hindi],
];

export interface MadeUpName {
  readonly username: string;
  readonly displayName: string;
}

/** Names of people, each username once. */
export class MadeUpNames {
  private readonly used = new Map<string, number>();

  constructor(private readonly chance: Chance) {}

  next(): MadeUpName {
    const names = this.chance.pick(everybody);
    const [given, givenLatin] = bothForms(this.chance.pick(names.given));
    const [family, familyLatin] = bothForms(this.chance.pick(names.family));
    const displayName =
      names.familyFirst === undefined ? `${given} ${family}` : `${family}${names.familyFirst}${given}`;
    const wanted = this.chance.pick([
      `${givenLatin}.${familyLatin}`,
      `${givenLatin}_${familyLatin}`,
      `${familyLatin}.${givenLatin}`,
      `${givenLatin}-${familyLatin.slice(0, 1)}`,
    ]);
    return { username: this.once(wanted), displayName: normalize(this.decorated(displayName)) };
  }

  private once(wanted: string): string {
    const before = this.used.get(wanted) ?? 0;
    this.used.set(wanted, before + 1);
    // No other username ends in a digit, so a numbered one cannot collide.
    return before === 0 ? wanted : `${wanted}${before + 1}`;
  }

  private decorated(name: string): string {
    return this.chance.happens(0.01) ? `${name} ${this.chance.pick(['🌱', '☕', '🎧', '🚲', '🐈'])}` : name;
  }
}

const bothForms = (name: string): [string, string] => {
  const [written = '', latin = written.toLowerCase()] = name.split('/');
  return [written, latin];
};

// Rooms -------------------------------------------------------------------------------------------------------------

const roomWords: readonly { readonly what: readonly string[]; readonly where: readonly string[] }[] = [
  {
    what: words(`Accounting Archive Astronomy Backend Badminton Bicycles Bird-watching Board-games Books Budget Chess Choir
      Climbing Coffee Cooking Data Design Documentation Events Film Finance Football Frontend Gardening Hardware Help-desk
      Hiking History Jazz Kitchen Knitting Languages Library Logistics Lunch Maps Marketing Mathematics Music Neighbours
      News Operations Painting Parents Photography Planning Poetry Purchasing Quiz Radio Recruiting Release Research
      Running Sailing Sales Science Security Support Swimming Theatre Training Travel Volunteers Weather Welcome Writing`),
    where:
      words(`Amsterdam Barcelona Basel Bergen Berlin Bologna Bristol Brussels Chicago Cork Dublin Edinburgh Geneva Ghent
      Glasgow Helsinki Leeds Leuven Lisbon London Lyon Madrid Milan Montreal Munich Naples Nairobi Oslo Oxford Paris Porto
      Prague Quito Riga Rome Rotterdam Seattle Sofia Tallinn Toronto Turin Utrecht Valencia Vienna Vilnius Warsaw York Zagreb`),
  },
  {
    what: words(
      `Büro Chor Elternbeirat Fahrräder Gärtnerei Hausverwaltung Kantine Küche Lagerhalle Nachbarschaft Übersetzungen Werkstatt`,
    ),
    where: words(
      `Aachen Bremen Dresden Düsseldorf Erfurt Göttingen Graz Köln Lübeck Münster Nürnberg Saarbrücken Tübingen Würzburg Zürich`,
    ),
  },
  {
    what: words(`Atelier Bibliothèque Cinéma Comité Échecs Librairie Marché Musée Théâtre`),
    where: words(`Besançon Bordeaux Genève Liège Lille Namur Nîmes Orléans Québec Rennes Saint-Étienne`),
  },
  {
    what: words('Книги Кухня Музыка Наука Новости Театр Шахматы'),
    where: words('Казань Минск Омск Пермь Самара Тверь'),
  },
  { what: words('写真部 将棋 文芸 料理教室 登山 音楽'), where: words('京都 仙台 大阪 札幌 東京 横浜 福岡') },
];

/** Names of rooms, each once. */
export class MadeUpRoomNames {
  private readonly used = new Map<string, number>();

  constructor(private readonly chance: Chance) {}

  next(): string {
    const language = this.chance.happens(0.7) ? 0 : this.chance.between(1, roomWords.length - 1);
    const { what, where } = roomWords[language] ?? { what: [], where: [] };
    const name = normalize(`${this.chance.pick(what).replaceAll('-', ' ')} ${this.chance.pick(where)}`);
    const before = this.used.get(name) ?? 0;
    this.used.set(name, before + 1);
    return before === 0 ? name : `${name} ${before + 1}`;
  }
}
