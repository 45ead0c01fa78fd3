import { unknownBrowser } from "../../device-name.ts";
import type { Texts } from "./texts.ts";

const plural = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`;

function duration(seconds: number): string {
  if (seconds >= 172_800) return plural(Math.round(seconds / 86_400), "Tag", "Tage");
  if (seconds > 3_600) return plural(Math.round(seconds / 3_600), "Stunde", "Stunden");
  return plural(Math.round(seconds / 60), "Minute", "Minuten");
}

const format = new Intl.DateTimeFormat("de-DE", { dateStyle: "long", timeStyle: "short", timeZone: "UTC" });

const inGerman = (device = "") =>
  device.replace(unknownBrowser, "unbekannter Browser").replace(" on ", " auf ");

const nothing = "Wenn Sie das nicht waren, beachten Sie diese Mail nicht: Es hat sich nichts geändert.";
const recover =
  "Wenn Sie das waren, ist nichts zu tun. Wenn nicht, setzen Sie sofort ein neues Passwort: Alle anderen werden dadurch abgemeldet.";

/** Mails in German. */
export const de: Texts = {
  direction: "ltr",
  enter: ({ host }, codeBegins) =>
    `Geben Sie diesen Code auf der Seite von ${host} ein, auf der Sie begonnen haben. Er beginnt mit ${codeBegins}, wie es dort steht.`,
  orOpen: "Im selben Browser können Sie auch dies öffnen:",
  keep: ({ host, appName, seconds }) =>
    `Der Code gilt ${duration(seconds)}, und nur auf ${host}. Niemand von ${appName} wird Sie je danach fragen, weder am Telefon noch in einer Nachricht.`,
  goodFor: ({ seconds }) => `Der Link gilt ${duration(seconds)}.`,
  asked: ({ device, ip, at }) =>
    `Es kam von: ${inGerman(device)}, ${ip ? `Adresse ${ip}` : "Adresse unbekannt"}, ${format.format(at * 1000)} UTC.`,
  mails: {
    register: {
      subject: "Bestätigen Sie Ihre E-Mail-Adresse",
      opening: ({ appName }) =>
        `Jemand, vermutlich Sie, möchte mit dieser E-Mail-Adresse ein Konto bei ${appName} anlegen.`,
      button: "Weiter",
      closing: () =>
        "Wenn Sie das nicht waren, beachten Sie diese Mail nicht: Es gibt kein Konto, und ohne den Code wird es keines geben.",
    },
    registered: {
      subject: "Sie haben schon ein Konto",
      opening: ({ appName }) =>
        `Jemand, vermutlich Sie, wollte mit dieser E-Mail-Adresse ein Konto bei ${appName} anlegen. Es gibt schon eines.`,
      button: "Neues Passwort setzen",
      closing: () =>
        "Melden Sie sich mit Ihrem Passwort an, oder setzen Sie ein neues. Wenn Sie das nicht waren, beachten Sie diese Mail nicht: Es hat sich nichts geändert.",
    },
    reset: {
      subject: "Neues Passwort setzen",
      opening: ({ appName }) =>
        `Jemand, vermutlich Sie, möchte für Ihr Konto bei ${appName} ein neues Passwort setzen.`,
      button: "Neues Passwort setzen",
      closing: () => `${nothing} Ihr Passwort gilt weiter.`,
    },
    email: {
      subject: "Bestätigen Sie Ihre neue E-Mail-Adresse",
      opening: ({ appName }) =>
        `Jemand, vermutlich Sie, möchte diese E-Mail-Adresse für ein Konto bei ${appName} verwenden.`,
      button: "Weiter",
      closing: () => nothing,
    },
    emailTaken: {
      subject: "Zu dieser E-Mail-Adresse gibt es schon ein Konto",
      opening: ({ appName }) =>
        `Jemand wollte ein anderes Konto bei ${appName} auf diese E-Mail-Adresse umstellen. Zu ihr gibt es schon eines, daher wurde nichts umgestellt.`,
      closing: () => nothing,
    },
    login: {
      subject: "Anmelden",
      opening: ({ appName }) =>
        `Jemand, vermutlich Sie, möchte sich bei Ihrem Konto bei ${appName} anmelden.`,
      button: "Anmelden",
      closing: () =>
        "Wenn Sie das nicht waren, beachten Sie diese Mail nicht: Ohne den Code wird niemand angemeldet.",
    },
    invitation: {
      subject: "Sie sind eingeladen",
      opening: ({ appName }) =>
        `Das Team von ${appName} lädt Sie ein, mit dieser E-Mail-Adresse ein Konto anzulegen.`,
      button: "Konto anlegen",
      closing: () =>
        "Wenn Sie nicht wissen, warum, beachten Sie diese Mail nicht: Es gibt kein Konto, bis Sie es anlegen.",
    },
    recovery: {
      subject: "Setzen Sie ein neues Passwort",
      opening: ({ appName }) =>
        `Die Betreiber von ${appName} bitten Sie, für Ihr Konto dort ein neues Passwort zu setzen.`,
      button: "Neues Passwort setzen",
      closing: () =>
        "Wenn Sie nicht darum gebeten haben und nicht wissen, warum, fragen Sie dort nach: Niemand dort sieht diesen Link, und niemand wird Sie je danach fragen.",
    },
    undo: {
      subject: "Ihre E-Mail-Adresse wurde geändert",
      opening: ({ appName, maskedEmail }) =>
        `Die E-Mail-Adresse Ihres Kontos bei ${appName} wurde in ${maskedEmail} geändert. Diese hier öffnet es nicht mehr.`,
      button: "Änderung rückgängig machen",
      closing: () =>
        "Wenn Sie das waren, ist nichts zu tun. Wenn nicht, machen Sie die Änderung rückgängig: Ihre Adresse kommt zurück, Sie setzen ein neues Passwort, und alle anderen werden abgemeldet.",
    },
    passwordChanged: {
      subject: "Ihr Passwort wurde geändert",
      opening: ({ appName }) =>
        `Das Passwort Ihres Kontos bei ${appName} wurde von jemandem geändert, der angemeldet war und es kannte.`,
      button: "Neues Passwort setzen",
      closing: () => recover,
    },
    passwordReset: {
      subject: "Ihr Passwort wurde geändert",
      opening: ({ appName }) =>
        `Das Passwort Ihres Kontos bei ${appName} wurde mit einem Code geändert, der an diese Adresse ging.`,
      button: "Neues Passwort setzen",
      closing: () => recover,
    },
    emailChanged: {
      subject: "Ihre E-Mail-Adresse wurde geändert",
      opening: ({ appName }) => `Dies ist jetzt die E-Mail-Adresse Ihres Kontos bei ${appName}.`,
      closing: () =>
        "Die frühere Adresse weiß davon, wenn sie bestätigt war. Sie kann die Änderung sieben Tage lang rückgängig machen.",
    },
    emailUndone: {
      subject: "Die Änderung Ihrer E-Mail-Adresse ist rückgängig",
      opening: ({ appName }) =>
        `Das Konto bei ${appName}, das auf diese E-Mail-Adresse umgestellt war, hat wieder seine frühere Adresse. Diese hier öffnet es nicht mehr.`,
      closing: () => "Rückgängig gemacht hat es der Link, den die frühere Adresse bekommen hatte.",
    },
    emailRestored: {
      subject: "Ihre E-Mail-Adresse gilt wieder",
      opening: ({ appName }) =>
        `Dies ist wieder die E-Mail-Adresse Ihres Kontos bei ${appName}. Es gilt das neue Passwort, das mit dem Link in der Mail über die Änderung gesetzt wurde, und alle anderen wurden abgemeldet.`,
      button: "Neues Passwort setzen",
      closing: () => recover,
    },
    newDevice: {
      subject: "Neue Anmeldung",
      opening: ({ appName }) =>
        `Jemand hat sich bei Ihrem Konto bei ${appName} mit einem Browser angemeldet, den es nicht kennt.`,
      button: "Neues Passwort setzen",
      closing: () => recover,
    },
    totpAdded: {
      subject: "Authenticator-App eingerichtet",
      opening: ({ appName }) =>
        `Für Ihr Konto bei ${appName} wurde eine Authenticator-App eingerichtet, mit Wiederherstellungscodes. Die Anmeldung verlangt von nun an einen Code.`,
      closing: () =>
        "Wenn Sie das waren, bewahren Sie die Wiederherstellungscodes gut auf. Wenn nicht, ist jemand in Ihrem Konto angemeldet: Fragen Sie bei den Betreibern nach.",
    },
    totpRemoved: {
      subject: "Ihre Authenticator-App ist abgeschaltet",
      opening: ({ appName }) =>
        `Die Authenticator-App Ihres Kontos bei ${appName} wurde abgeschaltet, mit den Wiederherstellungscodes. Das Passwort allein öffnet das Konto nun.`,
      button: "Neues Passwort setzen",
      closing: () => recover,
    },
    recoveryCodesMade: {
      subject: "Neue Wiederherstellungscodes",
      opening: ({ appName }) =>
        `Für Ihr Konto bei ${appName} wurden neue Wiederherstellungscodes gemacht. Die früheren gelten nicht mehr.`,
      button: "Neues Passwort setzen",
      closing: () => recover,
    },
    recoveryCodeUsed: {
      subject: "Ein Wiederherstellungscode wurde benutzt",
      opening: ({ appName }) =>
        `Jemand mit Ihrem Passwort hat einen der Wiederherstellungscodes Ihres Kontos bei ${appName} benutzt. Er gilt nicht noch einmal.`,
      button: "Neues Passwort setzen",
      closing: () => recover,
    },
    factorRefused: {
      subject: "Falsche Codes zu Ihrem Konto",
      opening: ({ appName }) =>
        `Jemand, der Ihr Passwort hat, Ihre Mails lesen oder Ihr Konto bei einem Anbieter benutzen kann, wollte sich bei Ihrem Konto bei ${appName} anmelden und hat falsche Codes statt derer Ihrer Authenticator-App eingegeben. Damit kam niemand hinein.`,
      button: "Neues Passwort setzen",
      closing: () => recover,
    },
    passkeyAdded: {
      subject: "Ein Passkey wurde hinzugefügt",
      opening: ({ appName }) =>
        `Zu Ihrem Konto bei ${appName} wurde ein Passkey hinzugefügt. Wer ihn hat, kann sich ohne Ihr Passwort anmelden.`,
      button: "Neues Passwort setzen",
      closing: () =>
        "Waren Sie es, ist nichts zu tun. Wenn nicht, setzen Sie sofort ein neues Passwort – das meldet alle anderen ab – und entfernen Sie dann den Passkey.",
    },
    passkeyRemoved: {
      subject: "Ein Passkey wurde entfernt",
      opening: ({ appName }) =>
        `Von Ihrem Konto bei ${appName} wurde ein Passkey entfernt. Niemand kann sich mehr mit ihm anmelden.`,
      button: "Neues Passwort setzen",
      closing: () => recover,
    },
    identityLinked: {
      subject: "Ein neuer Weg zur Anmeldung",
      opening: ({ appName }) =>
        `Mit Ihrem Konto bei ${appName} wurde ein Konto bei einem anderen Anbieter verknüpft. Wer es hat, kann sich ohne Ihr Passwort anmelden.`,
      button: "Neues Passwort setzen",
      closing: () =>
        "Waren Sie es, ist nichts zu tun. Wenn nicht, setzen Sie sofort ein neues Passwort – das meldet alle anderen ab – und entfernen Sie dann die Verknüpfung.",
    },
    identityUnlinked: {
      subject: "Ein Weg zur Anmeldung wurde entfernt",
      opening: ({ appName }) =>
        `Von Ihrem Konto bei ${appName} wurde die Verknüpfung mit einem anderen Anbieter entfernt. Niemand kann sich mehr damit anmelden.`,
      button: "Neues Passwort setzen",
      closing: () => recover,
    },
    accountDisabled: {
      subject: "Ihr Konto ist geschlossen",
      opening: ({ appName }) =>
        `Das Team von ${appName} hat Ihr Konto geschlossen. Niemand kann sich damit anmelden.`,
      closing: () => "Fragen Sie dort nach, wenn Sie das für einen Irrtum halten.",
    },
    accountDeleted: {
      subject: "Ihr Konto wurde gelöscht",
      opening: ({ appName }) => `Ihr Konto bei ${appName} wurde gelöscht, mit allem, was darin war.`,
      closing: () =>
        "Dies ist die letzte Mail dazu. Wenn Sie das nicht waren, fragen Sie bei den Betreibern nach.",
    },
  },
};
