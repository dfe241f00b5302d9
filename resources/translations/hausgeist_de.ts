<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de_DE">
<context>
    <name>AccessCard</name>
    <message>
        <source>Open the model&apos;s page</source>
        <translation>Seite des Modells öffnen</translation>
    </message>
    <message>
        <source>Make a token</source>
        <translation>Schlüssel anlegen</translation>
    </message>
    <message>
        <source>Ask again</source>
        <translation>Noch einmal fragen</translation>
    </message>
    <message>
        <source>Open the model&apos;s page, log in (an account costs nothing) and agree to the terms.</source>
        <translation>Öffnen Sie die Seite des Modells, melden Sie sich an (ein Konto kostet nichts) und stimmen Sie den Bedingungen zu.</translation>
    </message>
    <message>
        <source>Make an access token that may read. It shows Hugging Face that it is you.</source>
        <translation>Legen Sie einen Zugangsschlüssel an, der lesen darf. Daran erkennt Hugging Face, dass Sie es sind.</translation>
    </message>
    <message>
        <source>Put the token in here.</source>
        <translation>Fügen Sie den Schlüssel hier ein.</translation>
    </message>
    <message>
        <source>Its makers have not decided yet</source>
        <translation>Die Hersteller haben noch nicht entschieden</translation>
    </message>
    <message>
        <source>Your access token is not accepted</source>
        <translation>Ihr Zugangsschlüssel wird nicht angenommen</translation>
    </message>
    <message>
        <source>Its makers want your consent first</source>
        <translation>Die Hersteller möchten zuerst Ihre Zustimmung</translation>
    </message>
    <message>
        <source>Files of this model are handed out to those who have agreed to its terms. This is needed once.</source>
        <translation>Die Dateien dieses Modells bekommt, wer seinen Bedingungen zugestimmt hat. Das ist nur einmal nötig.</translation>
    </message>
</context>
<context>
    <name>AccountForm</name>
    <message>
        <source>Access token for Hugging Face</source>
        <translation>Zugangsschlüssel für Hugging Face</translation>
    </message>
    <message>
        <source>Paste your access token here (it begins with hf_)</source>
        <translation>Zugangsschlüssel hier einfügen (er beginnt mit hf_)</translation>
    </message>
    <message>
        <source>Sign in</source>
        <translation>Anmelden</translation>
    </message>
    <message>
        <source>Sign out</source>
        <translation>Abmelden</translation>
    </message>
    <message>
        <source>Asking …</source>
        <translation>Wird gefragt …</translation>
    </message>
    <message>
        <source>Not signed in. Most models need no token.</source>
        <translation>Nicht angemeldet. Die meisten Modelle brauchen keinen Zugangsschlüssel.</translation>
    </message>
    <message>
        <source>Signed in as {user}.</source>
        <translation>Angemeldet als {user}.</translation>
    </message>
    <message>
        <source>An access token is there.</source>
        <translation>Ein Zugangsschlüssel ist hinterlegt.</translation>
    </message>
    <message>
        <source>It comes from the environment variable HF_TOKEN; only there it changes.</source>
        <translation>Er kommt aus der Umgebungsvariablen HF_TOKEN und lässt sich nur dort ändern.</translation>
    </message>
</context>
<context>
    <name>Advice</name>
    <message>
        <source>The suggestions are up to date.</source>
        <translation>Die Vorschläge sind auf dem neuesten Stand.</translation>
    </message>
</context>
<context>
    <name>BannerBox</name>
    <message>
        <source>Dismiss</source>
        <translation>Schließen</translation>
    </message>
</context>
<context>
    <name>BesideRow</name>
    <message>
        <source>lets the model see pictures; comes along by itself</source>
        <translation>damit sieht das Modell Bilder; kommt von selbst mit</translation>
    </message>
    <message>
        <source>a small helper that can make the model write faster</source>
        <translation>ein kleiner Helfer, mit dem das Modell schneller schreiben kann</translation>
    </message>
    <message>
        <source>changes how the model answers (LoRA); of no use by itself</source>
        <translation>ändert, wie das Modell antwortet (LoRA); allein ohne Nutzen</translation>
    </message>
</context>
<context>
    <name>Bringing</name>
    <message>
        <source>An import is running already.</source>
        <translation>Es läuft schon ein Import.</translation>
    </message>
    <message>
        <source>Looking at the files …</source>
        <translation>Die Dateien werden angesehen …</translation>
    </message>
    <message>
        <source>{name}: file {number} of {total}</source>
        <translation>{name}: Datei {number} von {total}</translation>
    </message>
    <message>
        <source>The import was stopped.</source>
        <translation>Der Import wurde abgebrochen.</translation>
    </message>
    <message>
        <source>“{name}” is in your models.</source>
        <translation>„{name}“ ist bei Ihren Modellen.</translation>
    </message>
</context>
<context>
    <name>Browse</name>
    <message>
        <source>Good quality, moderate size</source>
        <translation>Gute Qualität, mäßige Größe</translation>
    </message>
    <message>
        <source>Four to five bits a weight: what most people take.</source>
        <translation>Vier bis fünf Bit je Gewicht: was die meisten nehmen.</translation>
    </message>
    <message>
        <source>As good as the original</source>
        <translation>So gut wie das Original</translation>
    </message>
    <message>
        <source>Six bits and more: larger and slower, hardly any better.</source>
        <translation>Sechs Bit und mehr: größer und langsamer, kaum besser.</translation>
    </message>
    <message>
        <source>Small, but noticeably poorer</source>
        <translation>Klein, aber merklich schlechter</translation>
    </message>
    <message>
        <source>Three bits and less: makes more mistakes. A smaller model in four bits is usually the better choice.</source>
        <translation>Drei Bit und weniger: macht mehr Fehler. Ein kleineres Modell in vier Bit ist meist die bessere Wahl.</translation>
    </message>
    <message>
        <source>Other versions</source>
        <translation>Andere Fassungen</translation>
    </message>
    <message>
        <source>Nobody has measured how much these kinds lose.</source>
        <translation>Wie viel diese Arten verlieren, hat niemand gemessen.</translation>
    </message>
    <message>
        <source>Looking …</source>
        <translation>Wird angesehen …</translation>
    </message>
    <message>
        <source>Cannot be judged</source>
        <translation>Nicht zu beurteilen</translation>
    </message>
    <message>
        <source>only after consent to its terms</source>
        <translation>erst nach Zustimmung zu den Bedingungen</translation>
    </message>
    <message>
        <source>needs {bytes} of memory</source>
        <translation>braucht {bytes} Arbeitsspeicher</translation>
    </message>
    <message>
        <source>{words}, roughly</source>
        <translation>{words}, grob geschätzt</translation>
    </message>
    <message>
        <source>size not stated</source>
        <translation>Größe nicht angegeben</translation>
    </message>
    <message>
        <source>Chat</source>
        <translation>Chat</translation>
    </message>
    <message>
        <source>Programming</source>
        <translation>Programmieren</translation>
    </message>
    <message>
        <source>Understands pictures</source>
        <translation>Versteht Bilder</translation>
    </message>
    <message>
        <source>Finding texts</source>
        <translation>Texte finden</translation>
    </message>
    <message>
        <source>{count} million downloads</source>
        <translation>{count} Mio. Downloads</translation>
    </message>
    <message>
        <source>today</source>
        <translation>heute</translation>
    </message>
    <message>
        <source>changed {day}</source>
        <translation>geändert {day}</translation>
    </message>
</context>
<context>
    <name>CardView</name>
    <message>
        <source>This text goes on for long. The rest stands on the model&apos;s page.</source>
        <translation>Dieser Text ist noch sehr lang. Der Rest steht auf der Seite des Modells.</translation>
    </message>
</context>
<context>
    <name>ChatDelegate</name>
    <message>
        <source>New name of the chat</source>
        <translation>Neuer Name des Chats</translation>
    </message>
</context>
<context>
    <name>ChatList</name>
    <message>
        <source>Undo</source>
        <translation>Rückgängig</translation>
    </message>
    <message>
        <source>New chat</source>
        <translation>Neuer Chat</translation>
    </message>
    <message>
        <source>“{title}” was deleted.</source>
        <translation>„{title}“ wurde gelöscht.</translation>
    </message>
</context>
<context>
    <name>ChatListView</name>
    <message>
        <source>Chats</source>
        <translation>Chats</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>Umbenennen</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Löschen</translation>
    </message>
</context>
<context>
    <name>ChatsPage</name>
    <message>
        <source>The model is being opened; then your message is sent.</source>
        <translation>Das Modell wird geöffnet, dann geht Ihre Nachricht ab.</translation>
    </message>
</context>
<context>
    <name>Composer</name>
    <message>
        <source>Message to Hausgeist</source>
        <translation>Nachricht an Hausgeist</translation>
    </message>
    <message>
        <source>Message to Hausgeist …</source>
        <translation>Nachricht an Hausgeist …</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Send</source>
        <translation>Senden</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Stopp</translation>
    </message>
    <message>
        <source>Stop the answer (Esc)</source>
        <translation>Antwort anhalten (Esc)</translation>
    </message>
    <message>
        <source>You are changing your message. What came after it is kept aside.</source>
        <translation>Sie ändern Ihre Nachricht. Was danach kam, bleibt gespeichert.</translation>
    </message>
    <message>
        <source>Enter sends, Shift+Enter starts a new line</source>
        <translation>Enter sendet, Umschalt+Enter beginnt eine neue Zeile</translation>
    </message>
</context>
<context>
    <name>ComputerChoice</name>
    <message>
        <source>Another computer …</source>
        <translation>Anderer Rechner …</translation>
    </message>
    <message>
        <source>What would run on a computer that you think of buying?</source>
        <translation>Was liefe auf einem Rechner, den Sie sich überlegen?</translation>
    </message>
    <message>
        <source>Open the description of a computer</source>
        <translation>Beschreibung eines Rechners öffnen</translation>
    </message>
    <message>
        <source>Descriptions (*.json)</source>
        <translation>Beschreibungen (*.json)</translation>
    </message>
    <message>
        <source>Without a graphics card</source>
        <translation>Ohne Grafikkarte</translation>
    </message>
    <message>
        <source>With a graphics card</source>
        <translation>Mit Grafikkarte</translation>
    </message>
    <message>
        <source>Apple</source>
        <translation>Apple</translation>
    </message>
    <message>
        <source>Open a description …</source>
        <translation>Beschreibung öffnen …</translation>
    </message>
</context>
<context>
    <name>Confirm</name>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
</context>
<context>
    <name>Connections</name>
    <message>
        <source>Empty the list</source>
        <translation>Liste leeren</translation>
    </message>
    <message>
        <source>No connection has left this computer so far.</source>
        <translation>Bisher hat keine Verbindung diesen Computer verlassen.</translation>
    </message>
    <message>
        <source>{sent} sent, {received} received</source>
        <translation>{sent} gesendet, {received} empfangen</translation>
    </message>
</context>
<context>
    <name>Conversation</name>
    <message>
        <source>The memory of this chat is full, so the answer ends here.</source>
        <translation>Das Gedächtnis dieses Chats ist voll, deshalb endet die Antwort hier.</translation>
    </message>
</context>
<context>
    <name>CostWords</name>
    <message>
        <source>Read: {tokens} tokens</source>
        <translation>Gelesen: {tokens} Tokens</translation>
    </message>
    <message>
        <source>({share} % of them known from before)</source>
        <translation>({share} % davon von vorher bekannt)</translation>
    </message>
    <message>
        <source>Written: {tokens} tokens</source>
        <translation>Geschrieben: {tokens} Tokens</translation>
    </message>
    <message>
        <source>({tokens} of them in thought)</source>
        <translation>({tokens} davon beim Nachdenken)</translation>
    </message>
    <message>
        <source>Energy: {wh} ({method})</source>
        <translation>Energie: {wh} ({method})</translation>
    </message>
    <message>
        <source>first word after {seconds} s</source>
        <translation>erstes Wort nach {seconds} s</translation>
    </message>
    <message>
        <source>{energy} Wh</source>
        <translation>{energy} Wh</translation>
    </message>
</context>
<context>
    <name>Counted</name>
    <message numerus="yes">
        <source>a page in about %n second(s)</source>
        <translation>
            <numerusform>eine Seite in etwa einer Sekunde</numerusform>
            <numerusform>eine Seite in etwa %n Sekunden</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>a page in about %n minute(s)</source>
        <translation>
            <numerusform>eine Seite in etwa einer Minute</numerusform>
            <numerusform>eine Seite in etwa %n Minuten</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{used} of %n page(s)</source>
        <translation>
            <numerusform>{used} von %n Seite</numerusform>
            <numerusform>{used} von %n Seiten</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n page(s)</source>
        <translation>
            <numerusform>%n Seite</numerusform>
            <numerusform>%n Seiten</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>a chat remembers %n page(s)</source>
        <translation>
            <numerusform>ein Chat behält %n Seite im Gedächtnis</numerusform>
            <numerusform>ein Chat behält %n Seiten im Gedächtnis</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>used %n day(s) ago</source>
        <translation>
            <numerusform>vor einem Tag benutzt</numerusform>
            <numerusform>vor %n Tagen benutzt</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n core(s)</source>
        <translation>
            <numerusform>%n Kern</numerusform>
            <numerusform>%n Kerne</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Room for about %n model(s) of 5 GB</source>
        <translation>
            <numerusform>Platz für etwa ein Modell mit 5 GB</numerusform>
            <numerusform>Platz für etwa %n Modelle mit 5 GB</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n older message(s) no longer fit into the memory</source>
        <translation>
            <numerusform>Eine ältere Nachricht passt nicht mehr ins Gedächtnis</numerusform>
            <numerusform>%n ältere Nachrichten passen nicht mehr ins Gedächtnis</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n model(s) are in your models now.</source>
        <translation>
            <numerusform>Ein Modell wurde hinzugefügt.</numerusform>
            <numerusform>%n Modelle wurden hinzugefügt.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Unload after %n minute(s)</source>
        <translation>
            <numerusform>Nach %n Minute entladen</numerusform>
            <numerusform>Nach %n Minuten entladen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n more file(s) could not be taken in.</source>
        <translation>
            <numerusform>Eine weitere Datei konnte nicht aufgenommen werden.</numerusform>
            <numerusform>%n weitere Dateien konnten nicht aufgenommen werden.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>CountedRepos</name>
    <message numerus="yes">
        <source>%n download(s)</source>
        <translation>
            <numerusform>%n Download</numerusform>
            <numerusform>%n Downloads</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n like(s)</source>
        <translation>
            <numerusform>%n Mal gemocht</numerusform>
            <numerusform>%n Mal gemocht</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n model(s)</source>
        <translation>
            <numerusform>%n Modell</numerusform>
            <numerusform>%n Modelle</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n day(s) ago</source>
        <translation>
            <numerusform>vor %n Tag</numerusform>
            <numerusform>vor %n Tagen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Show %n more version(s)</source>
        <translation>
            <numerusform>%n weitere Fassung zeigen</numerusform>
            <numerusform>%n weitere Fassungen zeigen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>in %n file(s)</source>
        <translation>
            <numerusform>in %n Datei</numerusform>
            <numerusform>in %n Dateien</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>remembers up to %n page(s)</source>
        <translation>
            <numerusform>merkt sich bis zu %n Seite</numerusform>
            <numerusform>merkt sich bis zu %n Seiten</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n model(s) from {names}</source>
        <translation>
            <numerusform>%n Modell aus {names}</numerusform>
            <numerusform>%n Modelle aus {names}</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Asked again by itself in %n second(s).</source>
        <translation>
            <numerusform>Wird in %n Sekunde von selbst noch einmal gefragt.</numerusform>
            <numerusform>Wird in %n Sekunden von selbst noch einmal gefragt.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>Desk</name>
    <message>
        <source>Last time Hausgeist ended while “{model}” was being opened. It is now opened one step smaller, so that this does not happen again.</source>
        <translation>Beim letzten Mal wurde Hausgeist unerwartet beendet, während sich „{model}“ öffnete. Das Modell startet jetzt eine Stufe kleiner, damit das nicht wieder passiert.</translation>
    </message>
    <message>
        <source>Last time Hausgeist ended while “{model}” was answering. What was written is kept. If it happens again, a smaller model helps.</source>
        <translation>Beim letzten Mal wurde Hausgeist unerwartet beendet, während „{model}“ antwortete. Was schon geschrieben war, ist erhalten. Passiert es wieder, hilft ein kleineres Modell.</translation>
    </message>
</context>
<context>
    <name>DetailsSheet</name>
    <message>
        <source>Reading the file …</source>
        <translation>Die Datei wird gelesen …</translation>
    </message>
    <message>
        <source>Verify the file</source>
        <translation>Datei prüfen</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>The file</source>
        <translation>Die Datei</translation>
    </message>
    <message>
        <source>On this computer</source>
        <translation>Auf diesem Rechner</translation>
    </message>
    <message>
        <source>The model</source>
        <translation>Das Modell</translation>
    </message>
    <message numerus="yes">
        <source>%n setting(s) on {day}; the fastest does {speed}</source>
        <translation>
            <numerusform>%n Einstellung am {day}; die schnellste schafft {speed}</numerusform>
            <numerusform>%n Einstellungen am {day}; die schnellste schafft {speed}</numerusform>
        </translation>
    </message>
    <message>
        <source>Tried out</source>
        <translation>Ausprobiert</translation>
    </message>
    <message>
        <source>Can</source>
        <translation>Kann</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Größe</translation>
    </message>
    <message>
        <source>{pages} at once ({tokens} tokens)</source>
        <translation>{pages} auf einmal ({tokens} Token)</translation>
    </message>
    <message>
        <source>Trained for</source>
        <translation>Trainiert für</translation>
    </message>
    <message>
        <source>Sees with</source>
        <translation>Sieht mit</translation>
    </message>
    <message>
        <source>From</source>
        <translation>Herkunft</translation>
    </message>
    <message>
        <source>Hash (SHA-256)</source>
        <translation>Prüfsumme (SHA-256)</translation>
    </message>
    <message>
        <source>Verified</source>
        <translation>Geprüft</translation>
    </message>
    <message>
        <source>The same model</source>
        <translation>Dasselbe Modell</translation>
    </message>
    <message>
        <source>It takes its room twice: one of the files can go.</source>
        <translation>Es belegt seinen Platz doppelt: Eine der Dateien kann weg.</translation>
    </message>
    <message>
        <source>it is damaged: not every byte is as it should be</source>
        <translation>es ist beschädigt: nicht jedes Byte ist, wie es sein soll</translation>
    </message>
    <message>
        <source>on {day}: every byte is as it should be</source>
        <translation>am {day}: jedes Byte ist, wie es sein soll</translation>
    </message>
    <message>
        <source>when it came: every byte was as it should be</source>
        <translation>als es kam: jedes Byte war, wie es sein soll</translation>
    </message>
    <message>
        <source>not yet</source>
        <translation>noch nicht</translation>
    </message>
    <message>
        <source>Licence</source>
        <translation>Lizenz</translation>
    </message>
    <message>
        <source>File</source>
        <translation>Datei</translation>
    </message>
</context>
<context>
    <name>DiskUse</name>
    <message>
        <source>all others</source>
        <translation>alle anderen</translation>
    </message>
    <message>
        <source>Your models take {used}.</source>
        <translation>Ihre Modelle belegen {used}.</translation>
    </message>
    <message>
        <source>Your models take {used}; {free} are free.</source>
        <translation>Ihre Modelle belegen {used}; {free} sind frei.</translation>
    </message>
</context>
<context>
    <name>DownloadRow</name>
    <message>
        <source>This line is paid by volume. It goes on by itself on another one; the settings say whether to wait for that.</source>
        <translation>Diese Verbindung wird nach Datenmenge bezahlt. Auf einer anderen geht es von selbst weiter; ob darauf gewartet wird, steht in den Einstellungen.</translation>
    </message>
    <message>
        <source>Remove from the list</source>
        <translation>Aus der Liste nehmen</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Chat now</source>
        <translation>Jetzt chatten</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Noch einmal versuchen</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>Fortsetzen</translation>
    </message>
    <message>
        <source>Try now</source>
        <translation>Jetzt versuchen</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>Pause</translation>
    </message>
</context>
<context>
    <name>DownloadSettings</name>
    <message>
        <source>Speed of downloads</source>
        <translation>Tempo der Downloads</translation>
    </message>
    <message>
        <source>As fast as possible</source>
        <translation>So schnell wie möglich</translation>
    </message>
    <message>
        <source>Lines that are paid by volume</source>
        <translation>Verbindungen mit Volumenpreis</translation>
    </message>
    <message>
        <source>Download there, too</source>
        <translation>Auch dort laden</translation>
    </message>
    <message>
        <source>Wait for another line</source>
        <translation>Auf eine andere warten</translation>
    </message>
    <message>
        <source>Downloads at the same time</source>
        <translation>Downloads gleichzeitig</translation>
    </message>
    <message>
        <source>A limit leaves something of the line to others.</source>
        <translation>Eine Grenze lässt anderen etwas von der Leitung übrig.</translation>
    </message>
    <message>
        <source>Such as the hotspot of a phone, as far as the system knows it.</source>
        <translation>Zum Beispiel der Hotspot eines Telefons, soweit das System davon weiß.</translation>
    </message>
    <message>
        <source>One after the other is done sooner; several share the line.</source>
        <translation>Einer nach dem anderen ist eher fertig; mehrere teilen sich die Leitung.</translation>
    </message>
    <message>
        <source>Downloads</source>
        <translation>Downloads</translation>
    </message>
</context>
<context>
    <name>DownloadWords</name>
    <message>
        <source>all here, being checked</source>
        <translation>alles da, wird geprüft</translation>
    </message>
    <message>
        <source>paused</source>
        <translation>angehalten</translation>
    </message>
    <message>
        <source>waits for a connection that is not paid by volume</source>
        <translation>wartet auf eine Verbindung ohne Volumenpreis</translation>
    </message>
    <message>
        <source>waits for the internet</source>
        <translation>wartet auf das Internet</translation>
    </message>
    <message>
        <source>is here, checked</source>
        <translation>ist da, geprüft</translation>
    </message>
    <message>
        <source>is here</source>
        <translation>ist da</translation>
    </message>
    <message>
        <source>not downloaded</source>
        <translation>nicht geladen</translation>
    </message>
    <message>
        <source>waits for its turn</source>
        <translation>wartet, bis es an der Reihe ist</translation>
    </message>
    <message>
        <source>waits for room on the disk</source>
        <translation>wartet auf Platz auf dem Laufwerk</translation>
    </message>
    <message>
        <source>waits</source>
        <translation>wartet</translation>
    </message>
    <message>
        <source>asking what there is …</source>
        <translation>fragt, was es gibt …</translation>
    </message>
    <message>
        <source>something arrived damaged and is fetched again</source>
        <translation>etwas kam beschädigt an und wird neu geladen</translation>
    </message>
    <message>
        <source>connecting …</source>
        <translation>verbindet …</translation>
    </message>
    <message>
        <source>{done} of {whole}</source>
        <translation>{done} von {whole}</translation>
    </message>
    <message>
        <source>a few seconds left</source>
        <translation>noch wenige Sekunden</translation>
    </message>
    <message numerus="yes">
        <source>%n second(s) left</source>
        <translation>
            <numerusform>noch %n Sekunde</numerusform>
            <numerusform>noch %n Sekunden</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n minute(s) left</source>
        <translation>
            <numerusform>noch %n Minute</numerusform>
            <numerusform>noch %n Minuten</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n hour(s) left</source>
        <translation>
            <numerusform>noch %n Stunde</numerusform>
            <numerusform>noch %n Stunden</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>again in %n second(s)</source>
        <translation>
            <numerusform>noch einmal in %n Sekunde</numerusform>
            <numerusform>noch einmal in %n Sekunden</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>again in %n minute(s)</source>
        <translation>
            <numerusform>noch einmal in %n Minute</numerusform>
            <numerusform>noch einmal in %n Minuten</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>DownloadsModel</name>
    <message>
        <source>The download of “{name}” was cancelled.</source>
        <translation>Der Download von „{name}“ wurde abgebrochen.</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Rückgängig</translation>
    </message>
    <message>
        <source>“{name}” is here.</source>
        <translation>„{name}“ ist da.</translation>
    </message>
    <message>
        <source>Chat now</source>
        <translation>Jetzt chatten</translation>
    </message>
    <message>
        <source>“{name}” could not be downloaded.</source>
        <translation>„{name}“ konnte nicht geladen werden.</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>Zeigen</translation>
    </message>
</context>
<context>
    <name>DownloadsPanel</name>
    <message>
        <source>Tidy up</source>
        <translation>Aufräumen</translation>
    </message>
    <message>
        <source>Take what is done or failed out of this list</source>
        <translation>Fertiges und Gescheitertes aus dieser Liste nehmen</translation>
    </message>
    <message>
        <source>Downloads</source>
        <translation>Downloads</translation>
    </message>
    <message>
        <source>All go on</source>
        <translation>Alle fortsetzen</translation>
    </message>
    <message>
        <source>Pause all</source>
        <translation>Alle anhalten</translation>
    </message>
</context>
<context>
    <name>DropHint</name>
    <message>
        <source>Drop a model file here</source>
        <translation>Legen Sie hier eine Modelldatei ab</translation>
    </message>
    <message>
        <source>A model is one file that ends in .gguf. The file stays where it is; Hausgeist only remembers its place. A whole folder can be dropped, too.</source>
        <translation>Ein Modell ist eine Datei, die auf .gguf endet. Die Datei bleibt, wo sie ist; Hausgeist merkt sich nur ihren Ort. Auch ein ganzer Ordner lässt sich hier ablegen.</translation>
    </message>
</context>
<context>
    <name>EntryWords</name>
    <message>
        <source>knows Hausgeist itself</source>
        <translation>kennt Hausgeist selbst</translation>
    </message>
    <message>
        <source>built in</source>
        <translation>eingebaut</translation>
    </message>
    <message>
        <source>in use</source>
        <translation>in Gebrauch</translation>
    </message>
    <message>
        <source>Help with Hausgeist</source>
        <translation>Hilfe zu Hausgeist</translation>
    </message>
    <message>
        <source>Finding texts</source>
        <translation>Texte finden</translation>
    </message>
    <message>
        <source>Text</source>
        <translation>Text</translation>
    </message>
    <message>
        <source>pictures</source>
        <translation>Bilder</translation>
    </message>
    <message>
        <source>tools</source>
        <translation>Werkzeuge</translation>
    </message>
    <message>
        <source>thinking</source>
        <translation>Nachdenken</translation>
    </message>
    <message>
        <source>never</source>
        <translation>nie</translation>
    </message>
    <message>
        <source>today</source>
        <translation>heute</translation>
    </message>
    <message>
        <source>yesterday</source>
        <translation>gestern</translation>
    </message>
    <message numerus="yes">
        <source>%n day(s) ago</source>
        <translation>
            <numerusform>vor %n Tag</numerusform>
            <numerusform>vor %n Tagen</numerusform>
        </translation>
    </message>
    <message>
        <source>Not usable</source>
        <translation>Nicht nutzbar</translation>
    </message>
    <message>
        <source>Its file is not what it was. Its answers may be wrong: fetch it again.</source>
        <translation>Die Datei ist nicht mehr, was sie war. Die Antworten können falsch sein: Laden Sie es neu herunter.</translation>
    </message>
    <message>
        <source>Damaged</source>
        <translation>Beschädigt</translation>
    </message>
    <message>
        <source>Always fits</source>
        <translation>Passt immer</translation>
    </message>
    <message>
        <source>answers at once</source>
        <translation>antwortet sofort</translation>
    </message>
    <message>
        <source>Cannot be judged</source>
        <translation>Nicht zu beurteilen</translation>
    </message>
    <message>
        <source>Looking …</source>
        <translation>Wird geprüft …</translation>
    </message>
    <message>
        <source>Measured on this computer.</source>
        <translation>Auf diesem Rechner gemessen.</translation>
    </message>
    <message>
        <source>about {speed}</source>
        <translation>etwa {speed}</translation>
    </message>
    <message>
        <source>Reckoned; measured as soon as it has answered.</source>
        <translation>Geschätzt; gemessen wird, sobald es geantwortet hat.</translation>
    </message>
</context>
<context>
    <name>ExpertFields</name>
    <message>
        <source>Against repetition</source>
        <translation>Gegen Wiederholungen</translation>
    </message>
    <message>
        <source>Chat template</source>
        <translation>Chat-Vorlage</translation>
    </message>
    <message>
        <source>Empty: the model&apos;s own template</source>
        <translation>Leer: die Vorlage des Modells</translation>
    </message>
    <message>
        <source>Begin with the model&apos;s own</source>
        <translation>Mit der des Modells beginnen</translation>
    </message>
    <message>
        <source>Only words that together are this likely; 1 takes all of them.</source>
        <translation>Nur Wörter, die zusammen so wahrscheinlich sind; 1 nimmt alle.</translation>
    </message>
    <message>
        <source>Only the likeliest so many; 0 takes all.</source>
        <translation>Nur die so vielen wahrscheinlichsten; 0 nimmt alle.</translation>
    </message>
    <message>
        <source>Only what is at least this likely beside the likeliest.</source>
        <translation>Nur was neben dem wahrscheinlichsten mindestens so wahrscheinlich ist.</translation>
    </message>
    <message>
        <source>1 does nothing; 1.1 makes it avoid what it has just said.</source>
        <translation>1 bewirkt nichts; mit 1,1 meidet es, was es eben gesagt hat.</translation>
    </message>
    <message>
        <source>How a conversation is put before the model, in Jinja. A wrong one makes it answer nonsense. Holds from the next time it is opened.</source>
        <translation>Wie ein Gespräch dem Modell vorgelegt wird, in Jinja. Mit einer falschen antwortet es Unsinn. Gilt ab dem nächsten Öffnen.</translation>
    </message>
</context>
<context>
    <name>Facts</name>
    <message>
        <source>Languages</source>
        <translation>Sprachen</translation>
    </message>
    <message>
        <source>Made from</source>
        <translation>Entstanden aus</translation>
    </message>
    <message>
        <source>Licence</source>
        <translation>Lizenz</translation>
    </message>
    <message>
        <source>Kind</source>
        <translation>Art</translation>
    </message>
    <message>
        <source>Popularity</source>
        <translation>Verbreitung</translation>
    </message>
</context>
<context>
    <name>FetchButton</name>
    <message>
        <source>Is here</source>
        <translation>Ist da</translation>
    </message>
    <message>
        <source>Download</source>
        <translation>Herunterladen</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>Fehlgeschlagen</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>Angehalten</translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation>Wartet</translation>
    </message>
    <message>
        <source>Being fetched</source>
        <translation>Wird geladen</translation>
    </message>
</context>
<context>
    <name>FirstOffer</name>
    <message>
        <source>a good first model here</source>
        <translation>hier ein gutes erstes Modell</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>Zeigen</translation>
    </message>
    <message>
        <source>Download</source>
        <translation>Herunterladen</translation>
    </message>
</context>
<context>
    <name>FolderSettings</name>
    <message>
        <source>New models go elsewhere …</source>
        <translation>Neue Modelle woandershin …</translation>
    </message>
    <message>
        <source>Add a folder …</source>
        <translation>Ordner hinzufügen …</translation>
    </message>
    <message>
        <source>Models may lie in several folders, on external drives and on a shared folder of your office. Hausgeist notices what comes and goes there.</source>
        <translation>Modelle dürfen in mehreren Ordnern liegen, auf externen Laufwerken und in einem gemeinsamen Ordner Ihres Büros. Hausgeist bemerkt, was dort kommt und geht.</translation>
    </message>
    <message>
        <source>Where your models lie</source>
        <translation>Wo Ihre Modelle liegen</translation>
    </message>
    <message>
        <source>Where shall new models go?</source>
        <translation>Wohin sollen neue Modelle?</translation>
    </message>
    <message>
        <source>A folder of models</source>
        <translation>Ein Ordner mit Modellen</translation>
    </message>
    <message>
        <source>Show {folder}</source>
        <translation>{folder} zeigen</translation>
    </message>
    <message>
        <source>New models here</source>
        <translation>Neue Modelle hierher</translation>
    </message>
    <message>
        <source>New models go to {folder}</source>
        <translation>Neue Modelle kommen nach {folder}</translation>
    </message>
    <message>
        <source>Look no longer into {folder}; its files stay</source>
        <translation>Nicht mehr in {folder} nachsehen; die Dateien bleiben</translation>
    </message>
    <message>
        <source>Move your models there, too?</source>
        <translation>Ihre Modelle mit dorthin verschieben?</translation>
    </message>
    <message numerus="yes">
        <source>%n model(s) lie elsewhere: {size}. They can be moved now or later.</source>
        <translation>
            <numerusform>%n Modell liegt woanders: {size}. Es kann jetzt oder später verschoben werden.</numerusform>
            <numerusform>%n Modelle liegen woanders: {size}. Sie können jetzt oder später verschoben werden.</numerusform>
        </translation>
    </message>
    <message>
        <source>Move them</source>
        <translation>Verschieben</translation>
    </message>
</context>
<context>
    <name>FolderWords</name>
    <message>
        <source>new models go here</source>
        <translation>neue Modelle kommen hierher</translation>
    </message>
    <message>
        <source>not connected: its models come back with it</source>
        <translation>nicht angeschlossen: seine Modelle kommen mit ihm zurück</translation>
    </message>
    <message>
        <source>shared: Hausgeist reads it and writes nothing there</source>
        <translation>gemeinsam: Hausgeist liest dort und schreibt nichts</translation>
    </message>
    <message>
        <source>{size} free</source>
        <translation>{size} frei</translation>
    </message>
</context>
<context>
    <name>Keeping</name>
    <message>
        <source>Models are being moved already.</source>
        <translation>Es werden schon Modelle verschoben.</translation>
    </message>
    <message>
        <source>Moving “{name}” ({number} of {count}): {done} of {total}</source>
        <translation>„{name}“ wird verschoben ({number} von {count}): {done} von {total}</translation>
    </message>
    <message>
        <source>Moving was stopped. What was moved already stays where it is now.</source>
        <translation>Das Verschieben wurde abgebrochen. Was schon verschoben war, bleibt am neuen Ort.</translation>
    </message>
    <message>
        <source>The original of {names} stays where it was: it is in use or not ours.</source>
        <translation>Das Original von {names} bleibt, wo es war: Es wird benutzt oder gehört nicht Hausgeist.</translation>
    </message>
    <message numerus="yes">
        <source>%n model(s) were moved.</source>
        <translation>
            <numerusform>%n Modell wurde verschoben.</numerusform>
            <numerusform>%n Modelle wurden verschoben.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>Leaving</name>
    <message>
        <source>Undo</source>
        <translation>Rückgängig</translation>
    </message>
    <message>
        <source>“{name}” was removed.</source>
        <translation>„{name}“ wurde entfernt.</translation>
    </message>
    <message>
        <source>“{name}” goes into the trash: {size}, free once it is emptied.</source>
        <translation>„{name}“ kommt in den Papierkorb: {size}, frei, sobald er geleert wird.</translation>
    </message>
    <message>
        <source>“{name}” is deleted: {size} become free.</source>
        <translation>„{name}“ wird gelöscht: {size} werden frei.</translation>
    </message>
</context>
<context>
    <name>LongWork</name>
    <message>
        <source>Chat with it</source>
        <translation>Damit chatten</translation>
    </message>
    <message>
        <source>{time} left</source>
        <translation>noch {time}</translation>
    </message>
</context>
<context>
    <name>Machine</name>
    <message>
        <source>Graphics</source>
        <translation>Grafik</translation>
    </message>
    <message>
        <source>No graphics card</source>
        <translation>Keine Grafikkarte</translation>
    </message>
    <message>
        <source>The processor does the work.</source>
        <translation>Der Prozessor übernimmt die Arbeit.</translation>
    </message>
    <message>
        <source>Disk</source>
        <translation>Festplatte</translation>
    </message>
    <message>
        <source>{size} free</source>
        <translation>{size} frei</translation>
    </message>
    <message>
        <source>in use {used}, free {free}</source>
        <translation>{used} belegt, {free} frei</translation>
    </message>
    <message>
        <source>Memory (RAM)</source>
        <translation>Arbeitsspeicher</translation>
    </message>
    <message>
        <source>reads memory at {speed}</source>
        <translation>liest Speicher mit {speed}</translation>
    </message>
    <message>
        <source>Processor</source>
        <translation>Prozessor</translation>
    </message>
    <message>
        <source>lends up to {size} of its memory</source>
        <translation>leiht bis zu {size} seines Speichers</translation>
    </message>
    <message>
        <source>shares the computer&apos;s memory</source>
        <translation>teilt sich den Arbeitsspeicher</translation>
    </message>
    <message>
        <source>Other computer</source>
        <translation>Anderer Computer</translation>
    </message>
    <message>
        <source>{size} of its own memory</source>
        <translation>{size} eigener Speicher</translation>
    </message>
    <message>
        <source>Cores, threads</source>
        <translation>Kerne, Threads</translation>
    </message>
    <message>
        <source>Instruction sets</source>
        <translation>Befehlssätze</translation>
    </message>
    <message>
        <source>AI processor (not used yet)</source>
        <translation>KI-Prozessor (noch nicht genutzt)</translation>
    </message>
    <message>
        <source>Engine</source>
        <translation>Engine</translation>
    </message>
    <message>
        <source>Backends</source>
        <translation>Backends</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>Gerät</translation>
    </message>
    <message>
        <source>Models are kept in</source>
        <translation>Modelle liegen in</translation>
    </message>
    <message>
        <source>{size} moved to the disk</source>
        <translation>{size} ausgelagert</translation>
    </message>
    <message>
        <source>slowed down for its heat</source>
        <translation>wegen Hitze gedrosselt</translation>
    </message>
    <message>
        <source>in use {size}</source>
        <translation>belegt {size}</translation>
    </message>
    <message>
        <source>{percent} busy</source>
        <translation>{percent} ausgelastet</translation>
    </message>
    <message>
        <source>{watts} of {limit} W</source>
        <translation>{watts} von {limit} W</translation>
    </message>
    <message>
        <source>Hausgeist reads {size}/s</source>
        <translation>Hausgeist liest {size}/s</translation>
    </message>
    <message>
        <source>others read {size}/s</source>
        <translation>andere lesen {size}/s</translation>
    </message>
    <message>
        <source>nothing is being read</source>
        <translation>es wird nichts gelesen</translation>
    </message>
    <message>
        <source>Answers</source>
        <translation>Antworten</translation>
    </message>
    <message>
        <source>writing now</source>
        <translation>schreibt gerade</translation>
    </message>
    <message>
        <source>reading the question</source>
        <translation>liest die Frage</translation>
    </message>
    <message>
        <source>the last answer</source>
        <translation>die letzte Antwort</translation>
    </message>
    <message>
        <source>expected of the open model</source>
        <translation>vom offenen Modell zu erwarten</translation>
    </message>
    <message>
        <source>No answer yet since the start.</source>
        <translation>Seit dem Start noch keine Antwort.</translation>
    </message>
    <message>
        <source>on battery</source>
        <translation>im Akkubetrieb</translation>
    </message>
    <message>
        <source>plugged in</source>
        <translation>am Netz</translation>
    </message>
    <message>
        <source>lasts about {time}</source>
        <translation>hält noch etwa {time}</translation>
    </message>
    <message>
        <source>takes {watts} W</source>
        <translation>braucht {watts} W</translation>
    </message>
    <message>
        <source>saving power</source>
        <translation>spart Strom</translation>
    </message>
    <message>
        <source>Battery</source>
        <translation>Akku</translation>
    </message>
    <message>
        <source>Hausgeist {amount}</source>
        <translation>Hausgeist {amount}</translation>
    </message>
    <message>
        <source>others {amount}</source>
        <translation>andere {amount}</translation>
    </message>
    <message>
        <source>free {amount}</source>
        <translation>frei {amount}</translation>
    </message>
    <message>
        <source>The last five minutes</source>
        <translation>Die letzten fünf Minuten</translation>
    </message>
    <message>
        <source>5 minutes ago</source>
        <translation>vor 5 Minuten</translation>
    </message>
    <message>
        <source>now</source>
        <translation>jetzt</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>Arbeitsspeicher</translation>
    </message>
    <message>
        <source>Graphics memory</source>
        <translation>Grafikspeicher</translation>
    </message>
    <message>
        <source>Speed of answers</source>
        <translation>Antworttempo</translation>
    </message>
</context>
<context>
    <name>MachinePage</name>
    <message>
        <source>This computer</source>
        <translation>Dieser Rechner</translation>
    </message>
    <message>
        <source>Look again</source>
        <translation>Neu prüfen</translation>
    </message>
    <message>
        <source>Back to this computer</source>
        <translation>Zurück zu diesem Rechner</translation>
    </message>
    <message>
        <source>Looking at this computer …</source>
        <translation>Ihr Rechner wird geprüft …</translation>
    </message>
    <message>
        <source>Another computer</source>
        <translation>Anderer Rechner</translation>
    </message>
</context>
<context>
    <name>MainWindow</name>
    <message>
        <source>“{name}”</source>
        <translation>„{name}“</translation>
    </message>
    <message>
        <source>Add to my models</source>
        <translation>Zu meinen Modellen hinzufügen</translation>
    </message>
    <message>
        <source>Add {names} to your models? Nothing is moved on your disk.</source>
        <translation>{names} zu Ihren Modellen hinzufügen? Auf Ihrer Festplatte wird dabei nichts verschoben.</translation>
    </message>
    <message>
        <source>Drop it here to add it to your models</source>
        <translation>Loslassen, um das Modell hinzuzufügen</translation>
    </message>
    <message>
        <source>Drop it here to see what would run on that computer</source>
        <translation>Hier ablegen, um zu sehen, was auf diesem Rechner liefe</translation>
    </message>
</context>
<context>
    <name>MeasuredCard</name>
    <message>
        <source>What was measured here</source>
        <translation>Was hier gemessen wurde</translation>
    </message>
    <message>
        <source>Memory was predicted to within {percent} %.</source>
        <translation>Der Speicherbedarf war auf {percent} % genau vorhergesagt.</translation>
    </message>
    <message>
        <source>Speed was predicted to within {percent} %.</source>
        <translation>Das Tempo war auf {percent} % genau vorhergesagt.</translation>
    </message>
    <message numerus="yes">
        <source>Attempts that failed for lack of memory: %n. Since then more is left free.</source>
        <translation>
            <numerusform>Versuche, die am Speicher scheiterten: %n. Seitdem bleibt mehr frei.</numerusform>
            <numerusform>Versuche, die am Speicher scheiterten: %n. Seitdem bleibt mehr frei.</numerusform>
        </translation>
    </message>
    <message>
        <source>{size} in memory</source>
        <translation>{size} im Speicher</translation>
    </message>
    <message>
        <source>opened, but no answer yet</source>
        <translation>geöffnet, aber noch keine Antwort</translation>
    </message>
    <message>
        <source>{measured} ({expected} expected)</source>
        <translation>{measured} ({expected} erwartet)</translation>
    </message>
    <message numerus="yes">
        <source>processor, %n thread(s)</source>
        <translation>
            <numerusform>Prozessor, %n Thread</numerusform>
            <numerusform>Prozessor, %n Threads</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>graphics card, experts of %n layer(s) in main memory</source>
        <translation>
            <numerusform>Grafikkarte, Experten von %n Schicht im Arbeitsspeicher</numerusform>
            <numerusform>Grafikkarte, Experten von %n Schichten im Arbeitsspeicher</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>graphics card: %n layer(s)</source>
        <translation>
            <numerusform>Grafikkarte: %n Schicht</numerusform>
            <numerusform>Grafikkarte: %n Schichten</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ModelDetails</name>
    <message>
        <source>Copy {what}</source>
        <translation>{what} kopieren</translation>
    </message>
    <message>
        <source>{tokens} tokens, kept as {kind}</source>
        <translation>{tokens} Token, abgelegt als {kind}</translation>
    </message>
    <message>
        <source>Context</source>
        <translation>Kontext</translation>
    </message>
    <message>
        <source>Instead</source>
        <translation>Stattdessen</translation>
    </message>
    <message>
        <source>Known from</source>
        <translation>Bekannt aus</translation>
    </message>
    <message>
        <source>weights</source>
        <translation>Gewichte</translation>
    </message>
    <message>
        <source>context</source>
        <translation>Kontext</translation>
    </message>
    <message>
        <source>computing</source>
        <translation>Rechnen</translation>
    </message>
    <message>
        <source>results</source>
        <translation>Ergebnisse</translation>
    </message>
    <message>
        <source>rearranged weights</source>
        <translation>umsortierte Gewichte</translation>
    </message>
    <message>
        <source>graphics driver</source>
        <translation>Grafiktreiber</translation>
    </message>
    <message>
        <source>Main memory</source>
        <translation>Arbeitsspeicher</translation>
    </message>
    <message>
        <source>Graphics ({device})</source>
        <translation>Grafik ({device})</translation>
    </message>
    <message>
        <source>{total} of {free} free: {parts}</source>
        <translation>{total}, frei sind {free}: {parts}</translation>
    </message>
    <message>
        <source>{size}, about right here</source>
        <translation>{size}, stimmt hier etwa</translation>
    </message>
    <message>
        <source>{size}, {percent} % too little</source>
        <translation>{size}, {percent} % zu wenig</translation>
    </message>
    <message>
        <source>{size}, {percent} % too much</source>
        <translation>{size}, {percent} % zu viel</translation>
    </message>
    <message>
        <source>Rule of thumb</source>
        <translation>Faustregel</translation>
    </message>
</context>
<context>
    <name>ModelPill</name>
    <message>
        <source>Model: {name}, {state}</source>
        <translation>Modell: {name}, {state}</translation>
    </message>
    <message>
        <source>Choose another model</source>
        <translation>Ein anderes Modell wählen</translation>
    </message>
    <message>
        <source>My models</source>
        <translation>Meine Modelle</translation>
    </message>
    <message>
        <source>Import a model file …</source>
        <translation>Modelldatei importieren …</translation>
    </message>
    <message>
        <source>All models</source>
        <translation>Alle Modelle</translation>
    </message>
</context>
<context>
    <name>ModelSession</name>
    <message>
        <source>Try again</source>
        <translation>Erneut versuchen</translation>
    </message>
    <message>
        <source>Talk to the guide</source>
        <translation>Mit dem Lotsen sprechen</translation>
    </message>
</context>
<context>
    <name>ModelTable</name>
    <message>
        <source>Name</source>
        <translation>Name</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Größe</translation>
    </message>
    <message>
        <source>Can</source>
        <translation>Kann</translation>
    </message>
    <message>
        <source>On this computer</source>
        <translation>Auf diesem Rechner</translation>
    </message>
    <message>
        <source>Last used</source>
        <translation>Zuletzt</translation>
    </message>
    <message>
        <source>From</source>
        <translation>Herkunft</translation>
    </message>
    <message>
        <source>Chat</source>
        <translation>Chatten</translation>
    </message>
</context>
<context>
    <name>ModelTableView</name>
    <message>
        <source>My models</source>
        <translation>Meine Modelle</translation>
    </message>
    <message>
        <source>Chat</source>
        <translation>Chatten</translation>
    </message>
</context>
<context>
    <name>ModelWords</name>
    <message>
        <source>is being asked …</source>
        <translation>wird gefragt …</translation>
    </message>
    <message>
        <source>is being opened …</source>
        <translation>wird geöffnet …</translation>
    </message>
    <message>
        <source>does not answer</source>
        <translation>antwortet nicht</translation>
    </message>
    <message>
        <source>could not be opened</source>
        <translation>ließ sich nicht öffnen</translation>
    </message>
    <message>
        <source>opens when you write</source>
        <translation>öffnet sich, wenn Sie schreiben</translation>
    </message>
    <message>
        <source>small, built in</source>
        <translation>klein und eingebaut</translation>
    </message>
    <message>
        <source>leaves this computer</source>
        <translation>verlässt diesen Computer</translation>
    </message>
    <message>
        <source>a server on this computer</source>
        <translation>ein Server auf diesem Computer</translation>
    </message>
    <message>
        <source>Asking the server …</source>
        <translation>Der Server wird gefragt …</translation>
    </message>
    <message>
        <source>Checking the file …</source>
        <translation>Die Datei wird geprüft …</translation>
    </message>
    <message>
        <source>Speed test {trial} of {trials} …</source>
        <translation>Tempotest {trial} von {trials} …</translation>
    </message>
    <message>
        <source>Trying it out safely, the first time only …</source>
        <translation>Wird erst sicher ausprobiert, nur beim ersten Mal …</translation>
    </message>
    <message>
        <source>Loading: {percent} %</source>
        <translation>Wird geladen: {percent} %</translation>
    </message>
    <message>
        <source>The graphics card could not be reached, so the model was opened without it. Starting Hausgeist again may bring it back.</source>
        <translation>Die Grafikkarte war nicht erreichbar, deshalb wurde das Modell ohne sie geöffnet. Ein Neustart von Hausgeist kann helfen.</translation>
    </message>
    <message>
        <source>Another computer that lends its memory could not be reached, so the model was opened without it.</source>
        <translation>Ein anderer Computer, der seinen Speicher leiht, war nicht zu erreichen; das Modell wurde ohne ihn geöffnet.</translation>
    </message>
    <message>
        <source>the processor does more of the work</source>
        <translation>der Prozessor übernimmt mehr von der Arbeit</translation>
    </message>
    <message>
        <source>the processor does all of the work</source>
        <translation>der Prozessor übernimmt die ganze Arbeit</translation>
    </message>
    <message>
        <source>it uses less memory</source>
        <translation>es belegt weniger Speicher</translation>
    </message>
    <message>
        <source>There was not enough memory for everything, so the model was opened smaller: {kept}.</source>
        <translation>Der Speicher reichte nicht für alles, deshalb wurde das Modell kleiner geöffnet: {kept}.</translation>
    </message>
    <message>
        <source>offline</source>
        <translation>offline</translation>
    </message>
</context>
<context>
    <name>Models</name>
    <message>
        <source>Hausgeist guide</source>
        <translation>Hausgeist-Lotse</translation>
    </message>
</context>
<context>
    <name>ModelsHere</name>
    <message>
        <source>Your models on this computer</source>
        <translation>Ihre Modelle auf diesem Rechner</translation>
    </message>
    <message>
        <source>You have no model of your own yet. Once you have one, it stands here how well it fits and how fast it answers.</source>
        <translation>Sie haben noch kein eigenes Modell. Sobald Sie eines haben, steht hier, wie gut es passt und wie schnell es antwortet.</translation>
    </message>
    <message>
        <source>To the models</source>
        <translation>Zu den Modellen</translation>
    </message>
</context>
<context>
    <name>ModelsPage</name>
    <message>
        <source>Models</source>
        <translation>Modelle</translation>
    </message>
</context>
<context>
    <name>MoveSheet</name>
    <message>
        <source>Move “{name}”</source>
        <translation>„{name}“ verschieben</translation>
    </message>
    <message>
        <source>It takes {size}. It can be used while it moves, and nothing is lost if that is interrupted: the old file goes only when the new one is whole.</source>
        <translation>Es belegt {size}. Es lässt sich währenddessen benutzen, und bei einer Unterbrechung geht nichts verloren: Die alte Datei geht erst, wenn die neue heil ist.</translation>
    </message>
    <message>
        <source>Another folder …</source>
        <translation>Anderer Ordner …</translation>
    </message>
    <message>
        <source>Move</source>
        <translation>Verschieben</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Where shall the model go?</source>
        <translation>Wohin soll das Modell?</translation>
    </message>
    <message>
        <source>too little for this model</source>
        <translation>zu wenig für dieses Modell</translation>
    </message>
</context>
<context>
    <name>MyModels</name>
    <message>
        <source>Add models</source>
        <translation>Modelle hinzufügen</translation>
    </message>
    <message>
        <source>My models</source>
        <translation>Meine Modelle</translation>
    </message>
    <message>
        <source>Import a model file</source>
        <translation>Modelldatei importieren</translation>
    </message>
    <message>
        <source>Model files (*.gguf)</source>
        <translation>Modelldateien (*.gguf)</translation>
    </message>
    <message>
        <source>Import a folder</source>
        <translation>Ordner importieren</translation>
    </message>
    <message>
        <source>Open a pack</source>
        <translation>Ein Paket öffnen</translation>
    </message>
    <message>
        <source>Packs (*.hgpack *.hgpack.001 index.json)</source>
        <translation>Pakete (*.hgpack *.hgpack.001 index.json)</translation>
    </message>
    <message>
        <source>A model file …</source>
        <translation>Eine Modelldatei …</translation>
    </message>
    <message>
        <source>A folder of models …</source>
        <translation>Einen Ordner mit Modellen …</translation>
    </message>
    <message>
        <source>A pack (.hgpack) …</source>
        <translation>Ein Paket (.hgpack) …</translation>
    </message>
    <message>
        <source>From Ollama, LM Studio and others …</source>
        <translation>Aus Ollama, LM Studio und anderen …</translation>
    </message>
    <message>
        <source>Search my models</source>
        <translation>Meine Modelle durchsuchen</translation>
    </message>
    <message>
        <source>Sorted by</source>
        <translation>Sortiert nach</translation>
    </message>
    <message>
        <source>Looking for your models …</source>
        <translation>Ihre Modelle werden gesucht …</translation>
    </message>
</context>
<context>
    <name>OfferList</name>
    <message>
        <source>Belongs to these models</source>
        <translation>Gehört zu diesen Modellen</translation>
    </message>
    <message>
        <source>Best for this computer</source>
        <translation>Am besten für diesen Rechner</translation>
    </message>
    <message>
        <source>Most quality for its size among those that run well here.</source>
        <translation>Die meiste Qualität für ihre Größe unter denen, die hier gut laufen.</translation>
    </message>
</context>
<context>
    <name>OfferRow</name>
    <message>
        <source>Recommended</source>
        <translation>Empfohlen</translation>
    </message>
    <message>
        <source>with the part that sees pictures</source>
        <translation>mit dem Teil, der Bilder sieht</translation>
    </message>
</context>
<context>
    <name>OrganisationCard</name>
    <message>
        <source>Show them</source>
        <translation>Ansehen</translation>
    </message>
    <message>
        <source>From your organisation</source>
        <translation>Aus Ihrem Haus</translation>
    </message>
</context>
<context>
    <name>OriginWords</name>
    <message>
        <source>made by us</source>
        <translation>von uns</translation>
    </message>
    <message>
        <source>made here from {name}</source>
        <translation>hier aus {name} gemacht</translation>
    </message>
    <message>
        <source>{place}, verified</source>
        <translation>{place}, geprüft</translation>
    </message>
    <message>
        <source>Hugging Face</source>
        <translation>Hugging Face</translation>
    </message>
    <message>
        <source>from Ollama</source>
        <translation>aus Ollama</translation>
    </message>
    <message>
        <source>from LM Studio</source>
        <translation>aus LM Studio</translation>
    </message>
    <message>
        <source>from the Hugging Face cache</source>
        <translation>aus dem Hugging-Face-Speicher</translation>
    </message>
    <message>
        <source>from Jan</source>
        <translation>aus Jan</translation>
    </message>
    <message>
        <source>from GPT4All</source>
        <translation>aus GPT4All</translation>
    </message>
    <message>
        <source>from llama.cpp’s cache</source>
        <translation>aus dem Speicher von llama.cpp</translation>
    </message>
    <message>
        <source>from a pack</source>
        <translation>aus einem Paket</translation>
    </message>
    <message>
        <source>made here</source>
        <translation>hier gemacht</translation>
    </message>
    <message>
        <source>from a file</source>
        <translation>aus einer Datei</translation>
    </message>
    <message>
        <source>copied into Hausgeist</source>
        <translation>in Hausgeist kopiert</translation>
    </message>
    <message>
        <source>from the folder “{folder}”</source>
        <translation>aus dem Ordner „{folder}“</translation>
    </message>
</context>
<context>
    <name>OtherComputer</name>
    <message>
        <source>Your models there</source>
        <translation>Ihre Modelle dort</translation>
    </message>
    <message>
        <source>What would run well there</source>
        <translation>Was dort gut liefe</translation>
    </message>
    <message>
        <source>What would more bring?</source>
        <translation>Was brächte mehr?</translation>
    </message>
    <message>
        <source>Working out what would run there …</source>
        <translation>Es wird ausgerechnet, was dort liefe …</translation>
    </message>
    <message>
        <source>None of the known models runs well there; the built-in guide does.</source>
        <translation>Keines der bekannten Modelle läuft dort gut; der eingebaute Lotse schon.</translation>
    </message>
</context>
<context>
    <name>PackDialog</name>
    <message>
        <source>Pack for another computer</source>
        <translation>Für einen anderen Computer einpacken</translation>
    </message>
    <message>
        <source>A pack holds the model with all its parts, its settings and its licence. Copy it to a USB stick or a shared folder; Hausgeist checks every byte when it is unpacked.</source>
        <translation>Ein Paket enthält das Modell mit allen Teilen, seinen Einstellungen und seiner Lizenz. Kopieren Sie es auf einen USB-Stick oder in einen gemeinsamen Ordner; beim Auspacken prüft Hausgeist jedes Byte.</translation>
    </message>
    <message>
        <source>Add more models …</source>
        <translation>Weitere Modelle dazu …</translation>
    </message>
    <message>
        <source>Pack</source>
        <translation>Einpacken</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Choose …</source>
        <translation>Wählen …</translation>
    </message>
    <message>
        <source>Choose where the pack goes</source>
        <translation>Wählen, wohin das Paket kommt</translation>
    </message>
    <message>
        <source>Where to</source>
        <translation>Wohin</translation>
    </message>
    <message>
        <source>In pieces</source>
        <translation>In Stücken</translation>
    </message>
    <message>
        <source>As the drive needs it</source>
        <translation>Wie der Datenträger es braucht</translation>
    </message>
    <message>
        <source>Never, one file</source>
        <translation>Nie, eine Datei</translation>
    </message>
    <message>
        <source>Pieces of 4 GB</source>
        <translation>Stücke von 4 GB</translation>
    </message>
    <message>
        <source>Many USB sticks (FAT32) take no file above 4 GB.</source>
        <translation>Viele USB-Sticks (FAT32) nehmen keine Datei über 4 GB auf.</translation>
    </message>
    <message>
        <source>Signature</source>
        <translation>Signatur</translation>
    </message>
    <message>
        <source>None</source>
        <translation>Keine</translation>
    </message>
    <message>
        <source>With a key …</source>
        <translation>Mit einem Schlüssel …</translation>
    </message>
    <message>
        <source>Shows others that the pack comes from your organisation, unchanged.</source>
        <translation>Zeigt anderen, dass das Paket unverändert von Ihrer Organisation kommt.</translation>
    </message>
    <message>
        <source>Password of the key</source>
        <translation>Kennwort des Schlüssels</translation>
    </message>
    <message>
        <source>Where shall the pack go?</source>
        <translation>Wohin soll das Paket?</translation>
    </message>
    <message>
        <source>Packs (*.hgpack)</source>
        <translation>Pakete (*.hgpack)</translation>
    </message>
    <message>
        <source>The secret key to sign with</source>
        <translation>Der geheime Schlüssel zum Signieren</translation>
    </message>
    <message>
        <source>Looking how large it becomes …</source>
        <translation>Es wird nachgesehen, wie groß es wird …</translation>
    </message>
    <message>
        <source>{size}; {free} are free there.</source>
        <translation>{size}; dort sind {free} frei.</translation>
    </message>
    <message numerus="yes">
        <source>{size} in %n file(s); {free} are free there.</source>
        <translation>
            <numerusform>{size} in %n Datei; dort sind {free} frei.</numerusform>
            <numerusform>{size} in %n Dateien; dort sind {free} frei.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>Packing</name>
    <message>
        <source>Packing “{name}”</source>
        <translation>„{name}“ wird eingepackt</translation>
    </message>
    <message>
        <source>Unpacking “{name}”</source>
        <translation>„{name}“ wird ausgepackt</translation>
    </message>
    <message>
        <source>{what}: {percent} %</source>
        <translation>{what}: {percent} %</translation>
    </message>
    <message>
        <source>{what}: checking, {percent} %</source>
        <translation>{what}: wird geprüft, {percent} %</translation>
    </message>
    <message>
        <source>Stopped. Nothing of the pack was left.</source>
        <translation>Angehalten. Vom Paket ist nichts zurückgeblieben.</translation>
    </message>
    <message>
        <source>Stopped. What was read stays: next time it goes on there.</source>
        <translation>Angehalten. Was gelesen ist, bleibt: Beim nächsten Mal geht es dort weiter.</translation>
    </message>
    <message>
        <source>Delete it</source>
        <translation>Löschen</translation>
    </message>
    <message>
        <source>What was read of the pack is deleted.</source>
        <translation>Was vom Paket gelesen war, ist gelöscht.</translation>
    </message>
    <message>
        <source>The pack “{name}” is ready: {size}.</source>
        <translation>Das Paket „{name}“ ist fertig: {size}.</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>Zeigen</translation>
    </message>
    <message>
        <source>“{name}” is in your models, and checked.</source>
        <translation>„{name}“ ist bei Ihren Modellen, und geprüft.</translation>
    </message>
    <message numerus="yes">
        <source>%n model(s) are in your models, and checked.</source>
        <translation>
            <numerusform>%n Modell ist bei Ihren Modellen, und geprüft.</numerusform>
            <numerusform>%n Modelle sind bei Ihren Modellen, und geprüft.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>PoolSettings</name>
    <message>
        <source>192.168.1.20:50052</source>
        <translation>192.168.1.20:50052</translation>
    </message>
    <message>
        <source>Address of a computer that lends its memory</source>
        <translation>Adresse eines Computers, der seinen Speicher leiht</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>Hinzufügen</translation>
    </message>
    <message>
        <source>Add the computer</source>
        <translation>Den Computer hinzufügen</translation>
    </message>
    <message>
        <source>A model that is too large for this computer can use the memory of others, on which llama.cpp&apos;s RPC server runs. The connection is neither encrypted nor protected by a password: use it only in a network whose users you all trust.</source>
        <translation>Ein Modell, das für diesen Computer zu groß ist, kann den Speicher anderer nutzen, auf denen der RPC-Server von llama.cpp läuft. Die Verbindung ist weder verschlüsselt noch durch ein Passwort geschützt: Nutzen Sie sie nur in einem Netz, dessen Teilnehmern allen Sie vertrauen.</translation>
    </message>
    <message>
        <source>Memory of other computers</source>
        <translation>Speicher anderer Computer</translation>
    </message>
    <message>
        <source>Looking …</source>
        <translation>Wird angesehen …</translation>
    </message>
    <message>
        <source>not reachable</source>
        <translation>nicht erreichbar</translation>
    </message>
    <message>
        <source>lends up to {memory}</source>
        <translation>leiht bis zu {memory}</translation>
    </message>
    <message>
        <source>Ask “{server}” now</source>
        <translation>„{server}“ jetzt fragen</translation>
    </message>
    <message>
        <source>Do without the memory of “{server}”</source>
        <translation>Auf den Speicher von „{server}“ verzichten</translation>
    </message>
</context>
<context>
    <name>Rail</name>
    <message>
        <source>Chats</source>
        <translation>Chats</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>Modelle</translation>
    </message>
    <message>
        <source>Computer</source>
        <translation>Rechner</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Einstell.</translation>
    </message>
    <message>
        <source>Offline: no connection leaves this computer.</source>
        <translation>Offline: Keine Verbindung verlässt diesen Computer.</translation>
    </message>
    <message>
        <source>Hausgeist asks the internet only when you want something from there.</source>
        <translation>Hausgeist fragt nur dann im Internet nach, wenn Sie etwas von dort möchten.</translation>
    </message>
    <message>
        <source>Offline</source>
        <translation>Offline</translation>
    </message>
</context>
<context>
    <name>RailMark</name>
    <message numerus="yes">
        <source>%n download(s)</source>
        <translation>
            <numerusform>%n Download</numerusform>
            <numerusform>%n Downloads</numerusform>
        </translation>
    </message>
    <message>
        <source>{downloads}, {percent} % here</source>
        <translation>{downloads}, {percent} % da</translation>
    </message>
</context>
<context>
    <name>Recommended</name>
    <message>
        <source>All versions</source>
        <translation>Alle Fassungen</translation>
    </message>
    <message>
        <source>Chat</source>
        <translation>Chat</translation>
    </message>
    <message>
        <source>Programming</source>
        <translation>Programmieren</translation>
    </message>
    <message>
        <source>Pictures</source>
        <translation>Bilder</translation>
    </message>
    <message>
        <source>Finding texts</source>
        <translation>Texte finden</translation>
    </message>
    <message>
        <source>German</source>
        <translation>Deutsch</translation>
    </message>
    <message>
        <source>English</source>
        <translation>Englisch</translation>
    </message>
    <message>
        <source>Task</source>
        <translation>Aufgabe</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>Sprache</translation>
    </message>
    <message>
        <source>Check for new models</source>
        <translation>Nach Neuem sehen</translation>
    </message>
    <message>
        <source>More suggestions</source>
        <translation>Weitere Vorschläge</translation>
    </message>
    <message>
        <source>Recommended for this computer</source>
        <translation>Empfohlen für diesen Rechner</translation>
    </message>
    <message>
        <source>Asking … (stop)</source>
        <translation>Wird gefragt … (abbrechen)</translation>
    </message>
    <message>
        <source>Asking: {done} of {total} (stop)</source>
        <translation>Wird gefragt: {done} von {total} (abbrechen)</translation>
    </message>
    <message>
        <source>Asks huggingface.co what there is now. Nothing is asked without a click.</source>
        <translation>Fragt huggingface.co, was es jetzt gibt. Ohne Klick wird nichts gefragt.</translation>
    </message>
    <message>
        <source>Last asked: {day}.</source>
        <translation>Zuletzt gefragt: {day}.</translation>
    </message>
    <message>
        <source>None of the models we know runs well on this computer. The built-in guide does: it answers questions about Hausgeist itself. Closing other programs may help.</source>
        <translation>Von den Modellen, die wir kennen, läuft auf diesem Rechner keines gut. Der eingebaute Lotse aber schon: Er beantwortet Fragen zu Hausgeist selbst. Vielleicht hilft es, andere Programme zu schließen.</translation>
    </message>
    <message>
        <source>Looking for what suits this computer …</source>
        <translation>Es wird gesucht, was zu diesem Rechner passt …</translation>
    </message>
    <message>
        <source>The address is copied.</source>
        <translation>Die Adresse ist kopiert.</translation>
    </message>
</context>
<context>
    <name>RecommendedCard</name>
    <message>
        <source>Copy the address of {name}</source>
        <translation>Adresse von {name} kopieren</translation>
    </message>
    <message>
        <source>Details of {name}</source>
        <translation>Details zu {name}</translation>
    </message>
    <message>
        <source>Chat now</source>
        <translation>Jetzt chatten</translation>
    </message>
    <message>
        <source>Download</source>
        <translation>Herunterladen</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>Angehalten</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>Gescheitert</translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation>Wartet</translation>
    </message>
    <message>
        <source>Being fetched</source>
        <translation>Wird geladen</translation>
    </message>
    <message>
        <source>Less</source>
        <translation>Weniger</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>Details</translation>
    </message>
    <message>
        <source>reads {speed}</source>
        <translation>liest {speed}</translation>
    </message>
    <message>
        <source>Speed</source>
        <translation>Tempo</translation>
    </message>
    <message>
        <source>Licence</source>
        <translation>Lizenz</translation>
    </message>
    <message>
        <source>Languages</source>
        <translation>Sprachen</translation>
    </message>
    <message>
        <source>Released</source>
        <translation>Erschienen</translation>
    </message>
    <message>
        <source>Note</source>
        <translation>Hinweis</translation>
    </message>
    <message>
        <source>Chosen by</source>
        <translation>Ausgewählt nach</translation>
    </message>
    <message>
        <source>Name for commands</source>
        <translation>Name für Befehle</translation>
    </message>
    <message>
        <source>Source</source>
        <translation>Quelle</translation>
    </message>
</context>
<context>
    <name>RemoteSettings</name>
    <message>
        <source>Name</source>
        <translation>Name</translation>
    </message>
    <message>
        <source>Name of the server</source>
        <translation>Name des Servers</translation>
    </message>
    <message>
        <source>Address, such as 192.168.1.5:1234 or https://llm.example.org</source>
        <translation>Adresse, etwa 192.168.1.5:1234 oder https://llm.example.org</translation>
    </message>
    <message>
        <source>Address of the server</source>
        <translation>Adresse des Servers</translation>
    </message>
    <message>
        <source>Key, where the server wants one</source>
        <translation>Schlüssel, falls der Server einen verlangt</translation>
    </message>
    <message>
        <source>Key of the server</source>
        <translation>Schlüssel des Servers</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>Hinzufügen</translation>
    </message>
    <message>
        <source>Add the server</source>
        <translation>Den Server hinzufügen</translation>
    </message>
    <message>
        <source>Own certificates …</source>
        <translation>Eigene Zertifikate …</translation>
    </message>
    <message>
        <source>How long an answer may take to begin</source>
        <translation>Wie lange eine Antwort auf sich warten lassen darf</translation>
    </message>
    <message>
        <source>1 minute</source>
        <translation>1 Minute</translation>
    </message>
    <message>
        <source>10 minutes</source>
        <translation>10 Minuten</translation>
    </message>
    <message>
        <source>1 hour</source>
        <translation>1 Stunde</translation>
    </message>
    <message>
        <source>An answer must begin within</source>
        <translation>Eine Antwort muss beginnen innerhalb von</translation>
    </message>
    <message>
        <source>Another computer, or another program on this one, can answer in a model&apos;s place: vLLM, llama-server, Ollama, LM Studio, another Hausgeist or a service on the internet. What you write to it is sent there.</source>
        <translation>Ein anderer Computer oder ein anderes Programm auf diesem kann anstelle eines Modells antworten: vLLM, llama-server, Ollama, LM Studio, ein anderer Hausgeist oder ein Dienst im Internet. Was Sie ihm schreiben, wird dorthin gesendet.</translation>
    </message>
    <message>
        <source>Models on servers</source>
        <translation>Modelle auf Servern</translation>
    </message>
    <message>
        <source>Certificates: {path}</source>
        <translation>Zertifikate: {path}</translation>
    </message>
    <message>
        <source>Trust this certificate</source>
        <translation>Diesem Zertifikat trauen</translation>
    </message>
    <message>
        <source>Do not trust</source>
        <translation>Nicht trauen</translation>
    </message>
    <message>
        <source>The server shows a certificate that nobody here knows</source>
        <translation>Der Server zeigt ein Zertifikat, das hier niemand kennt</translation>
    </message>
    <message>
        <source>Certificates</source>
        <translation>Zertifikate</translation>
    </message>
    <message>
        <source>Certificates (*.pem *.crt *.cer);;All files (*)</source>
        <translation>Zertifikate (*.pem *.crt *.cer);;Alle Dateien (*)</translation>
    </message>
    <message>
        <source>Asking …</source>
        <translation>Wird gefragt …</translation>
    </message>
    <message>
        <source>Made out to {subject}, signed by {issuer}, valid until {until}. Compare its fingerprint with the one that the server itself tells:</source>
        <translation>Ausgestellt für {subject}, unterschrieben von {issuer}, gültig bis {until}. Vergleichen Sie seinen Fingerabdruck mit dem, den der Server selbst nennt:</translation>
    </message>
    <message numerus="yes">
        <source>%n model(s)</source>
        <translation>
            <numerusform>%n Modell</numerusform>
            <numerusform>%n Modelle</numerusform>
        </translation>
    </message>
    <message>
        <source>with a key</source>
        <translation>mit Schlüssel</translation>
    </message>
    <message>
        <source>It answers.</source>
        <translation>Er antwortet.</translation>
    </message>
    <message>
        <source>leaves this computer</source>
        <translation>verlässt diesen Computer</translation>
    </message>
    <message>
        <source>on this computer</source>
        <translation>auf diesem Computer</translation>
    </message>
    <message>
        <source>Test</source>
        <translation>Prüfen</translation>
    </message>
    <message>
        <source>Test “{name}”</source>
        <translation>„{name}“ prüfen</translation>
    </message>
    <message>
        <source>Remove “{name}” and its key</source>
        <translation>„{name}“ und seinen Schlüssel entfernen</translation>
    </message>
</context>
<context>
    <name>Repository</name>
    <message>
        <source>Files</source>
        <translation>Dateien</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Noch einmal versuchen</translation>
    </message>
    <message>
        <source>What its makers write</source>
        <translation>Was die Hersteller schreiben</translation>
    </message>
    <message>
        <source>Asking what there is …</source>
        <translation>Wird gefragt, was es gibt …</translation>
    </message>
    <message>
        <source>by {author}</source>
        <translation>von {author}</translation>
    </message>
    <message>
        <source>By {author}: show all models</source>
        <translation>Von {author}: alle Modelle zeigen</translation>
    </message>
    <message>
        <source>From your organisation: {source}</source>
        <translation>Aus Ihrem Haus: {source}</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>Zurück</translation>
    </message>
    <message>
        <source>Open its page in the browser</source>
        <translation>Seine Seite im Browser öffnen</translation>
    </message>
    <message>
        <source>From its makers</source>
        <translation>Von den Herstellern</translation>
    </message>
</context>
<context>
    <name>ResultRows</name>
    <message>
        <source>only with consent to its maker&apos;s terms</source>
        <translation>nur mit Zustimmung zu den Bedingungen des Herstellers</translation>
    </message>
    <message>
        <source>From your organisation</source>
        <translation>Aus Ihrem Haus</translation>
    </message>
    <message>
        <source>Should fit</source>
        <translation>Dürfte passen</translation>
    </message>
    <message>
        <source>May just fit</source>
        <translation>Passt vielleicht knapp</translation>
    </message>
    <message>
        <source>Too large</source>
        <translation>Zu groß</translation>
    </message>
</context>
<context>
    <name>Results</name>
    <message>
        <source>Try again</source>
        <translation>Noch einmal versuchen</translation>
    </message>
    <message>
        <source>Search without filters</source>
        <translation>Ohne Filter suchen</translation>
    </message>
    <message>
        <source>Models found</source>
        <translation>Gefundene Modelle</translation>
    </message>
    <message>
        <source>Asking Hugging Face …</source>
        <translation>Hugging Face wird gefragt …</translation>
    </message>
    <message>
        <source>Fetching more …</source>
        <translation>Weitere werden geholt …</translation>
    </message>
    <message>
        <source>Nothing in the built-in list goes by that name.</source>
        <translation>In der eingebauten Liste heißt nichts so.</translation>
    </message>
    <message>
        <source>Nothing found. Perhaps a filter is too narrow: try fewer of them.</source>
        <translation>Nichts gefunden. Vielleicht ist ein Filter zu eng: Versuchen Sie es mit weniger Filtern.</translation>
    </message>
    <message>
        <source>Nothing found. Try fewer or other words, for instance only “qwen”.</source>
        <translation>Nichts gefunden. Versuchen Sie weniger oder andere Wörter, zum Beispiel nur „qwen“.</translation>
    </message>
</context>
<context>
    <name>RowDoings</name>
    <message>
        <source>Open it anew</source>
        <translation>Neu öffnen</translation>
    </message>
    <message>
        <source>Where is “{name}” now?</source>
        <translation>Wo ist „{name}“ jetzt?</translation>
    </message>
    <message>
        <source>Model files (*.gguf)</source>
        <translation>Modelldateien (*.gguf)</translation>
    </message>
    <message>
        <source>There is no trash where this file lies, so it is deleted for good. {size} become free.</source>
        <translation>Wo diese Datei liegt, gibt es keinen Papierkorb: Sie wird endgültig gelöscht. {size} werden frei.</translation>
    </message>
    <message>
        <source>Delete “{name}”?</source>
        <translation>„{name}“ löschen?</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Löschen</translation>
    </message>
    <message>
        <source>Chat</source>
        <translation>Chatten</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>Einzelheiten</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>Make a smaller version …</source>
        <translation>Kleinere Fassung machen …</translation>
    </message>
    <message>
        <source>Verify</source>
        <translation>Prüfen</translation>
    </message>
    <message>
        <source>Show in its folder</source>
        <translation>Im Ordner zeigen</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>Umbenennen</translation>
    </message>
    <message>
        <source>Move to another folder …</source>
        <translation>In einen anderen Ordner verschieben …</translation>
    </message>
    <message>
        <source>Pack for another computer …</source>
        <translation>Für einen anderen Computer einpacken …</translation>
    </message>
    <message>
        <source>Show where it is now …</source>
        <translation>Zeigen, wo es jetzt ist …</translation>
    </message>
    <message>
        <source>Download it again</source>
        <translation>Neu herunterladen</translation>
    </message>
    <message>
        <source>Remove, with its file</source>
        <translation>Entfernen, samt der Datei</translation>
    </message>
    <message>
        <source>Remove from the list</source>
        <translation>Aus der Liste nehmen</translation>
    </message>
</context>
<context>
    <name>SearchBar</name>
    <message>
        <source>Back to my models</source>
        <translation>Zurück zu meinen Modellen</translation>
    </message>
    <message>
        <source>Browse all</source>
        <translation>Alle ansehen</translation>
    </message>
    <message>
        <source>Search for models</source>
        <translation>Modelle suchen</translation>
    </message>
    <message>
        <source>Search on Hugging Face, or paste a model&apos;s address</source>
        <translation>Auf Hugging Face suchen oder die Adresse eines Modells einfügen</translation>
    </message>
    <message>
        <source>Search</source>
        <translation>Suchen</translation>
    </message>
    <message>
        <source>all</source>
        <translation>alle</translation>
    </message>
    <message>
        <source>Chat</source>
        <translation>Chat</translation>
    </message>
    <message>
        <source>Programming</source>
        <translation>Programmieren</translation>
    </message>
    <message>
        <source>Pictures</source>
        <translation>Bilder</translation>
    </message>
    <message>
        <source>Finding texts</source>
        <translation>Texte finden</translation>
    </message>
    <message>
        <source>office use allowed</source>
        <translation>im Büro erlaubt</translation>
    </message>
    <message>
        <source>popular now</source>
        <translation>gerade beliebt</translation>
    </message>
    <message>
        <source>most downloads</source>
        <translation>meiste Downloads</translation>
    </message>
    <message>
        <source>most likes</source>
        <translation>am meisten gemocht</translation>
    </message>
    <message>
        <source>changed last</source>
        <translation>zuletzt geändert</translation>
    </message>
    <message>
        <source>newest</source>
        <translation>neueste</translation>
    </message>
    <message>
        <source>Task</source>
        <translation>Aufgabe</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>Sprache</translation>
    </message>
    <message>
        <source>Licence</source>
        <translation>Lizenz</translation>
    </message>
    <message>
        <source>Order</source>
        <translation>Reihenfolge</translation>
    </message>
    <message>
        <source>Fits this computer</source>
        <translation>Passt auf diesen Rechner</translation>
    </message>
    <message>
        <source>from {author}</source>
        <translation>von {author}</translation>
    </message>
    <message>
        <source>from your organisation</source>
        <translation>aus Ihrem Haus</translation>
    </message>
    <message>
        <source>Only {words}: show all again</source>
        <translation>Nur {words}: wieder alle zeigen</translation>
    </message>
    <message>
        <source>Leaves out what has no room in the memory that is free just now.</source>
        <translation>Lässt weg, was im gerade freien Speicher keinen Platz hat.</translation>
    </message>
    <message>
        <source>Hausgeist is still looking at this computer.</source>
        <translation>Hausgeist sieht sich diesen Rechner noch an.</translation>
    </message>
</context>
<context>
    <name>SettingsPage</name>
    <message>
        <source>Settings</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>Sprache</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>Wie das System</translation>
    </message>
    <message>
        <source>Appearance</source>
        <translation>Erscheinungsbild</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>Hell</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>Dunkel</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>Automatisch</translation>
    </message>
    <message>
        <source>Processor threads</source>
        <translation>Prozessor-Threads</translation>
    </message>
    <message>
        <source>Memory of a chat</source>
        <translation>Gedächtnis eines Chats</translation>
    </message>
    <message>
        <source>Connections to the internet</source>
        <translation>Verbindungen ins Internet</translation>
    </message>
    <message>
        <source>Only when I ask</source>
        <translation>Nur auf meinen Wunsch</translation>
    </message>
    <message>
        <source>Never (offline)</source>
        <translation>Nie (offline)</translation>
    </message>
    <message>
        <source>Going on with an older chat</source>
        <translation>Eine ältere Unterhaltung fortsetzen</translation>
    </message>
    <message>
        <source>At once</source>
        <translation>Sofort</translation>
    </message>
    <message>
        <source>Read it again first</source>
        <translation>Erst noch einmal lesen</translation>
    </message>
    <message>
        <source>In a process of its own</source>
        <translation>In einem eigenen Prozess</translation>
    </message>
    <message>
        <source>When needed</source>
        <translation>Wenn nötig</translation>
    </message>
    <message>
        <source>Always</source>
        <translation>Immer</translation>
    </message>
    <message>
        <source>Models that nobody uses</source>
        <translation>Modelle, die niemand benutzt</translation>
    </message>
    <message>
        <source>Keep them loaded</source>
        <translation>Geladen lassen</translation>
    </message>
    <message>
        <source>Window</source>
        <translation>Fenster</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>Modelle</translation>
    </message>
    <message>
        <source>How much of a chat the model sees at once. More takes more RAM.</source>
        <translation>Wie viel von einem Chat das Modell auf einmal sieht. Mehr braucht mehr Arbeitsspeicher.</translation>
    </message>
    <message>
        <source>Automatic leaves enough for your other programs.</source>
        <translation>Automatisch lässt genug für Ihre anderen Programme übrig.</translation>
    </message>
    <message>
        <source>A model that crashes then does not take Hausgeist along. Models that have crashed before run so in any case.</source>
        <translation>Ein Modell, das abstürzt, nimmt Hausgeist dann nicht mit. Modelle, die schon abgestürzt sind, laufen in jedem Fall so.</translation>
    </message>
    <message>
        <source>A model stays loaded for a while after you have chosen another one, so that going back is quick. When its memory is needed it goes at once.</source>
        <translation>Ein Modell bleibt noch eine Weile geladen, wenn Sie ein anderes wählen; so sind Sie schnell wieder bei ihm. Wird sein Speicher gebraucht, geht es sofort.</translation>
    </message>
    <message>
        <source>All three hold from the next time a model is opened.</source>
        <translation>Alle drei gelten ab dem nächsten Öffnen eines Modells.</translation>
    </message>
    <message>
        <source>Your data</source>
        <translation>Ihre Daten</translation>
    </message>
    <message>
        <source>Open folder</source>
        <translation>Ordner öffnen</translation>
    </message>
    <message>
        <source>Chats and settings</source>
        <translation>Chats und Einstellungen</translation>
    </message>
    <message>
        <source>What a model has read of a chat is kept on this computer&apos;s disk, so that it need not read the chat again. It is deleted with the chat.</source>
        <translation>Was ein Modell von einer Unterhaltung gelesen hat, bleibt auf der Festplatte dieses Computers. So muss es sie nicht noch einmal lesen. Mit der Unterhaltung wird es gelöscht.</translation>
    </message>
    <message>
        <source>Hugging Face</source>
        <translation>Hugging Face</translation>
    </message>
    <message>
        <source>Internet</source>
        <translation>Internet</translation>
    </message>
    <message>
        <source>Hausgeist asks the internet only when you want something from there, such as whether a model fits. It never counts or reports anything.</source>
        <translation>Hausgeist fragt nur dann im Internet nach, wenn Sie etwas von dort möchten, zum Beispiel ob ein Modell passt. Gezählt oder gemeldet wird nie etwas.</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>Zeigen</translation>
    </message>
    <message>
        <source>List of connections</source>
        <translation>Liste der Verbindungen</translation>
    </message>
    <message>
        <source>Every connection that left this computer: when, where to and what for.</source>
        <translation>Jede Verbindung, die diesen Computer verlassen hat: wann, wohin und wozu.</translation>
    </message>
    <message>
        <source>Hide</source>
        <translation>Verbergen</translation>
    </message>
    <message>
        <source>Offline by the environment variable %1.</source>
        <translation>Offline durch die Umgebungsvariable %1.</translation>
    </message>
</context>
<context>
    <name>SettingsSheet</name>
    <message>
        <source>Settings of “{name}”</source>
        <translation>Einstellungen von „{name}“</translation>
    </message>
    <message>
        <source>Memory of a chat</source>
        <translation>Gedächtnis eines Chats</translation>
    </message>
    <message>
        <source>How freely it answers</source>
        <translation>Wie frei es antwortet</translation>
    </message>
    <message>
        <source>Temperature</source>
        <translation>Temperatur</translation>
    </message>
    <message>
        <source>Thinking</source>
        <translation>Nachdenken</translation>
    </message>
    <message>
        <source>Standing instruction</source>
        <translation>Ständige Anweisung</translation>
    </message>
    <message>
        <source>For instance: Answer briefly, in German, and in the Sie-form.</source>
        <translation>Zum Beispiel: Antworte kurz, auf Deutsch und in der Sie-Form.</translation>
    </message>
    <message>
        <source>More, for experts</source>
        <translation>Mehr, für Kundige</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>Speichern</translation>
    </message>
    <message>
        <source>As recommended</source>
        <translation>Wie empfohlen</translation>
    </message>
    <message>
        <source>More takes more RAM. Holds from the next time it is opened.</source>
        <translation>Mehr braucht mehr Arbeitsspeicher. Gilt ab dem nächsten Öffnen.</translation>
    </message>
    <message>
        <source>Exact suits facts and figures, free suits ideas and stories.</source>
        <translation>Genau passt zu Fakten und Zahlen, frei zu Ideen und Geschichten.</translation>
    </message>
    <message>
        <source>Slower, and better with difficult questions.</source>
        <translation>Langsamer, und besser bei schwierigen Fragen.</translation>
    </message>
    <message>
        <source>Thinking before the answer</source>
        <translation>Nachdenken vor der Antwort</translation>
    </message>
    <message>
        <source>Stands before every new chat with this model.</source>
        <translation>Steht vor jedem neuen Chat mit diesem Modell.</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>As for all models</source>
        <translation>Wie bei allen Modellen</translation>
    </message>
    <message>
        <source>{pages} ({tokens} tokens)</source>
        <translation>{pages} ({tokens} Token)</translation>
    </message>
    <message>
        <source>As recommended ({number})</source>
        <translation>Wie empfohlen ({number})</translation>
    </message>
    <message>
        <source>Exact ({number})</source>
        <translation>Genau ({number})</translation>
    </message>
    <message>
        <source>Balanced ({number})</source>
        <translation>Ausgewogen ({number})</translation>
    </message>
    <message>
        <source>Free ({number})</source>
        <translation>Frei ({number})</translation>
    </message>
    <message>
        <source>A value of your own</source>
        <translation>Eigener Wert</translation>
    </message>
    <message>
        <source>As the model is used to</source>
        <translation>Wie das Modell es gewohnt ist</translation>
    </message>
    <message>
        <source>Think first</source>
        <translation>Erst nachdenken</translation>
    </message>
    <message>
        <source>Answer at once</source>
        <translation>Sofort antworten</translation>
    </message>
    <message>
        <source>The settings of “{name}” are kept.</source>
        <translation>Die Einstellungen von „{name}“ sind gespeichert.</translation>
    </message>
    <message>
        <source>{name}: a number from {low} to {high}, please.</source>
        <translation>{name}: bitte eine Zahl von {low} bis {high}.</translation>
    </message>
</context>
<context>
    <name>Shrinking</name>
    <message>
        <source>Making “{name}” as {kind}</source>
        <translation>„{name}“ wird als {kind} gemacht</translation>
    </message>
    <message>
        <source>{what}: {percent} %</source>
        <translation>{what}: {percent} %</translation>
    </message>
    <message>
        <source>Stopped. The model is as it was; nothing was left.</source>
        <translation>Abgebrochen. Das Modell ist, wie es war; nichts blieb zurück.</translation>
    </message>
    <message>
        <source>“{name}” is in your models: {size}.</source>
        <translation>„{name}“ ist bei Ihren Modellen: {size}.</translation>
    </message>
</context>
<context>
    <name>Sidebar</name>
    <message>
        <source>Search chats</source>
        <translation>Chats durchsuchen</translation>
    </message>
    <message>
        <source>New chat</source>
        <translation>Neuer Chat</translation>
    </message>
    <message>
        <source>No chat has “{text}” in its title.</source>
        <translation>Kein Chat hat „{text}“ im Titel.</translation>
    </message>
    <message>
        <source>Your chats will stand here. They stay on this computer.</source>
        <translation>Hier stehen bald Ihre Chats. Sie bleiben auf diesem Rechner.</translation>
    </message>
</context>
<context>
    <name>SlowCard</name>
    <message>
        <source>Nothing slows the answers down at the moment.</source>
        <translation>Im Moment bremst nichts die Antworten.</translation>
    </message>
    <message>
        <source>Keep this page open while an answer is written, to see what it takes.</source>
        <translation>Lassen Sie diese Seite offen, während eine Antwort geschrieben wird: Dann sehen Sie, was sie braucht.</translation>
    </message>
    <message>
        <source>Looking at this computer …</source>
        <translation>Dieser Rechner wird angesehen …</translation>
    </message>
</context>
<context>
    <name>SmallerSheet</name>
    <message>
        <source>A smaller version of “{name}”</source>
        <translation>Eine kleinere Fassung von „{name}“</translation>
    </message>
    <message>
        <source>Reckoning what could be made of it …</source>
        <translation>Es wird berechnet, was sich daraus machen lässt …</translation>
    </message>
    <message>
        <source>Fewer bits for each number: less disk and memory, faster answers, a little less knowledge. The original stays as it is.</source>
        <translation>Weniger Bits für jede Zahl: weniger Platz und Speicher, schnellere Antworten, etwas weniger Wissen. Das Original bleibt, wie es ist.</translation>
    </message>
    <message>
        <source>All kinds</source>
        <translation>Alle Arten</translation>
    </message>
    <message>
        <source>Make it</source>
        <translation>Machen</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>It cannot be made smaller: it is as small as can be.</source>
        <translation>Kleiner geht es nicht: Es ist schon so klein wie möglich.</translation>
    </message>
    <message>
        <source>recommended</source>
        <translation>empfohlen</translation>
    </message>
    <message>
        <source>It goes to {folder}.</source>
        <translation>Sie kommt nach {folder}.</translation>
    </message>
    <message>
        <source>It goes to {folder}, where {size} are free.</source>
        <translation>Sie kommt nach {folder}; dort sind {size} frei.</translation>
    </message>
</context>
<context>
    <name>SourceSettings</name>
    <message>
        <source>https://models.example.org/ or a folder</source>
        <translation>https://modelle.example.org/ oder ein Ordner</translation>
    </message>
    <message>
        <source>Address of a source of models</source>
        <translation>Adresse einer Quelle von Modellen</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>Hinzufügen</translation>
    </message>
    <message>
        <source>Add the source</source>
        <translation>Die Quelle hinzufügen</translation>
    </message>
    <message>
        <source>A folder …</source>
        <translation>Ein Ordner …</translation>
    </message>
    <message>
        <source>Trust a key …</source>
        <translation>Einem Schlüssel vertrauen …</translation>
    </message>
    <message>
        <source>A web server or a shared folder with a list of models (index.json, made by “hausgeist index”). Its models are shown beside Hugging Face&apos;s.</source>
        <translation>Ein Webserver oder ein gemeinsamer Ordner mit einem Verzeichnis von Modellen (index.json, von „hausgeist index“ geschrieben). Seine Modelle stehen neben denen von Hugging Face.</translation>
    </message>
    <message>
        <source>Once a key is trusted, packs and sources must be signed by it; everything else is refused.</source>
        <translation>Sobald einem Schlüssel vertraut wird, müssen Pakete und Quellen damit signiert sein; alles andere wird abgelehnt.</translation>
    </message>
    <message>
        <source>Your organisation&apos;s models</source>
        <translation>Modelle Ihrer Organisation</translation>
    </message>
    <message>
        <source>Looking …</source>
        <translation>Wird gesucht …</translation>
    </message>
    <message>
        <source>A folder with a list of models</source>
        <translation>Ein Ordner mit einem Verzeichnis von Modellen</translation>
    </message>
    <message numerus="yes">
        <source>%n model(s)</source>
        <translation>
            <numerusform>%n Modell</numerusform>
            <numerusform>%n Modelle</numerusform>
        </translation>
    </message>
    <message>
        <source>not usable</source>
        <translation>nicht nutzbar</translation>
    </message>
    <message>
        <source>signed</source>
        <translation>signiert</translation>
    </message>
    <message>
        <source>Remove “{name}”; models that are here stay</source>
        <translation>„{name}“ entfernen; Modelle, die hier sind, bleiben</translation>
    </message>
    <message>
        <source>A public key</source>
        <translation>Ein öffentlicher Schlüssel</translation>
    </message>
    <message>
        <source>Public keys (*.pub);;All files (*)</source>
        <translation>Öffentliche Schlüssel (*.pub);;Alle Dateien (*)</translation>
    </message>
    <message>
        <source>Trust this key no longer</source>
        <translation>Diesem Schlüssel nicht mehr vertrauen</translation>
    </message>
</context>
<context>
    <name>StatusLine</name>
    <message>
        <source>Memory</source>
        <translation>Gedächtnis</translation>
    </message>
    <message>
        <source>How full the memory of this chat is</source>
        <translation>Wie voll das Gedächtnis dieses Chats ist</translation>
    </message>
    <message>
        <source>Goes to “{server}”, off this computer</source>
        <translation>Geht an „{server}“, verlässt diesen Computer</translation>
    </message>
    <message>
        <source>Everything stays on this computer</source>
        <translation>Alles bleibt auf diesem Rechner</translation>
    </message>
    <message>
        <source>The model sees {used} of {whole} tokens of this chat at once</source>
        <translation>{used} von {whole} Token, die das Modell auf einmal sehen kann</translation>
    </message>
</context>
<context>
    <name>StepsCard</name>
    <message>
        <source>Working out what other hardware would bring …</source>
        <translation>Es wird ausgerechnet, was andere Hardware brächte …</translation>
    </message>
    <message>
        <source>None of the usual changes would bring a more capable model than now.</source>
        <translation>Mit keiner der üblichen Änderungen liefe ein besseres Modell als jetzt.</translation>
    </message>
    <message>
        <source>None of the known models runs well there.</source>
        <translation>Keines der bekannten Modelle läuft dort gut.</translation>
    </message>
    <message>
        <source>Best:</source>
        <translation>Am besten:</translation>
    </message>
    <message>
        <source>Fast:</source>
        <translation>Schnell:</translation>
    </message>
    <message>
        <source>Your “{name}” would fit: {page}.</source>
        <translation>Ihr „{name}“ würde passen: {page}.</translation>
    </message>
    <message>
        <source>Your “{name}” would be faster: {page}.</source>
        <translation>Ihr „{name}“ wäre schneller: {page}.</translation>
    </message>
</context>
<context>
    <name>StoreNote</name>
    <message>
        <source>Look at them</source>
        <translation>Ansehen</translation>
    </message>
    <message>
        <source>Not now</source>
        <translation>Jetzt nicht</translation>
    </message>
    <message numerus="yes">
        <source>%n in {program}</source>
        <translation>
            <numerusform>%n in {program}</numerusform>
            <numerusform>%n in {program}</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n model(s) of other programs on this computer: {where}.</source>
        <translation>
            <numerusform>Auf diesem Rechner ist %n Modell eines anderen Programms: {where}.</numerusform>
            <numerusform>Auf diesem Rechner sind %n Modelle anderer Programme: {where}.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>StoresSheet</name>
    <message>
        <source>Models of other programs</source>
        <translation>Modelle anderer Programme</translation>
    </message>
    <message>
        <source>They stay where they are and take no more disk: Hausgeist uses the same files. What the other program deletes is then gone here, too.</source>
        <translation>Sie bleiben, wo sie sind, und brauchen keinen weiteren Platz: Hausgeist benutzt dieselben Dateien. Was das andere Programm löscht, ist dann auch hier weg.</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Looking for Ollama, LM Studio, Jan, GPT4All and others …</source>
        <translation>Ollama, LM Studio, Jan, GPT4All und andere werden gesucht …</translation>
    </message>
    <message>
        <source>No models of other programs were found in their usual places.</source>
        <translation>An den üblichen Orten wurden keine Modelle anderer Programme gefunden.</translation>
    </message>
    <message numerus="yes">
        <source>%n of them stand in your list already.</source>
        <translation>
            <numerusform>%n davon steht schon in Ihrer Liste.</numerusform>
            <numerusform>%n davon stehen schon in Ihrer Liste.</numerusform>
        </translation>
    </message>
    <message>
        <source>With the chat template that the model brings itself.</source>
        <translation>Mit der Chat-Vorlage, die das Modell selbst mitbringt.</translation>
    </message>
    <message numerus="yes">
        <source>Add %n model(s)</source>
        <translation>
            <numerusform>%n Modell hinzufügen</numerusform>
            <numerusform>%n Modelle hinzufügen</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>TableDelegate</name>
    <message>
        <source>in use</source>
        <translation>in Gebrauch</translation>
    </message>
    <message>
        <source>New name of the model</source>
        <translation>Neuer Name des Modells</translation>
    </message>
</context>
<context>
    <name>ThisComputer</name>
    <message>
        <source>What would more bring?</source>
        <translation>Was brächte mehr?</translation>
    </message>
    <message>
        <source>Save this description …</source>
        <translation>Diese Beschreibung speichern …</translation>
    </message>
    <message>
        <source>For planning on another computer, or for who helps you</source>
        <translation>Zum Planen auf einem anderen Rechner oder für jemanden, der Ihnen hilft</translation>
    </message>
    <message>
        <source>Why is it slow?</source>
        <translation>Warum ist es langsam?</translation>
    </message>
    <message>
        <source>The last five minutes</source>
        <translation>Die letzten fünf Minuten</translation>
    </message>
    <message>
        <source>Save the description of this computer</source>
        <translation>Beschreibung dieses Rechners speichern</translation>
    </message>
    <message>
        <source>this-computer.json</source>
        <translation>dieser-rechner.json</translation>
    </message>
    <message>
        <source>Descriptions (*.json)</source>
        <translation>Beschreibungen (*.json)</translation>
    </message>
    <message>
        <source>The description was saved.</source>
        <translation>Die Beschreibung ist gespeichert.</translation>
    </message>
    <message>
        <source>Hide details</source>
        <translation>Details ausblenden</translation>
    </message>
    <message>
        <source>All details</source>
        <translation>Alle Details</translation>
    </message>
</context>
<context>
    <name>TopBar</name>
    <message>
        <source>How far the model is opened</source>
        <translation>Wie weit das Modell geöffnet ist</translation>
    </message>
    <message>
        <source>Start now</source>
        <translation>Jetzt starten</translation>
    </message>
    <message>
        <source>Use the best setting found so far</source>
        <translation>Die beste bisher gefundene Einstellung verwenden</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Erneut versuchen</translation>
    </message>
    <message>
        <source>Reads the chat: {percent} %</source>
        <translation>Liest den Chat: {percent} %</translation>
    </message>
</context>
<context>
    <name>Transcript</name>
    <message>
        <source>Stopped</source>
        <translation>Angehalten</translation>
    </message>
    <message>
        <source>Hausgeist was closed while this was being written.</source>
        <translation>Hausgeist wurde geschlossen, während dies geschrieben wurde.</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Kopieren</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>Kopiert</translation>
    </message>
    <message>
        <source>Copy code</source>
        <translation>Code kopieren</translation>
    </message>
    <message>
        <source>Answer again</source>
        <translation>Neu antworten</translation>
    </message>
    <message>
        <source>Edit</source>
        <translation>Bearbeiten</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Erneut versuchen</translation>
    </message>
    <message>
        <source>Copy whole message</source>
        <translation>Ganze Nachricht kopieren</translation>
    </message>
    <message>
        <source>Copy address of link</source>
        <translation>Adresse des Links kopieren</translation>
    </message>
    <message>
        <source>Open link</source>
        <translation>Link öffnen</translation>
    </message>
    <message>
        <source>Open this address in your browser? It leads to the internet.</source>
        <translation>Diese Adresse im Browser öffnen? Sie führt ins Internet.</translation>
    </message>
    <message>
        <source>Stay here</source>
        <translation>Hierbleiben</translation>
    </message>
    <message>
        <source>Select all</source>
        <translation>Alles auswählen</translation>
    </message>
    <message>
        <source>To the end</source>
        <translation>Zum Ende</translation>
    </message>
    <message>
        <source>Conversation</source>
        <translation>Gespräch</translation>
    </message>
    <message>
        <source>Code</source>
        <translation>Code</translation>
    </message>
    <message>
        <source>You</source>
        <translation>Sie</translation>
    </message>
    <message>
        <source>Thinking …</source>
        <translation>Denkt nach …</translation>
    </message>
    <message>
        <source>Reading … {percent} %</source>
        <translation>Liest … {percent} %</translation>
    </message>
</context>
<context>
    <name>TroubleCard</name>
    <message>
        <source>Try again</source>
        <translation>Noch einmal versuchen</translation>
    </message>
    <message>
        <source>Go online</source>
        <translation>Online gehen</translation>
    </message>
    <message>
        <source>Trust the system&apos;s certificates</source>
        <translation>Den Zertifikaten des Systems vertrauen</translation>
    </message>
    <message>
        <source>Text for IT</source>
        <translation>Text für die IT</translation>
    </message>
    <message>
        <source>Copy text for IT</source>
        <translation>Text für die IT kopieren</translation>
    </message>
    <message>
        <source>What is needed, and what went wrong, for whoever looks after your network.</source>
        <translation>Was gebraucht wird und was schiefging, für die Leute, die Ihr Netz betreuen.</translation>
    </message>
    <message>
        <source>Below stands what Hausgeist knows of without the internet.</source>
        <translation>Unten steht, was Hausgeist auch ohne Internet kennt.</translation>
    </message>
    <message>
        <source>The text is copied.</source>
        <translation>Der Text ist kopiert.</translation>
    </message>
</context>
<context>
    <name>UnpackDialog</name>
    <message>
        <source>Models in “{name}”</source>
        <translation>Modelle in „{name}“</translation>
    </message>
    <message>
        <source>Looking into the pack …</source>
        <translation>Das Paket wird angesehen …</translation>
    </message>
    <message>
        <source>Add to my models</source>
        <translation>Zu meinen Modellen</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>Not signed: make sure that you know who made it.</source>
        <translation>Nicht signiert: Vergewissern Sie sich, wer es erstellt hat.</translation>
    </message>
    <message>
        <source>Signed by your organisation (key {key}).</source>
        <translation>Von Ihrer Organisation signiert (Schlüssel {key}).</translation>
    </message>
    <message>
        <source>Signed with the key {key}; whose it is, this computer does not know.</source>
        <translation>Mit dem Schlüssel {key} signiert; wem er gehört, weiß dieser Computer nicht.</translation>
    </message>
    <message>
        <source>is here already</source>
        <translation>ist schon hier</translation>
    </message>
    <message>
        <source>Licence: not stated</source>
        <translation>Lizenz: nicht angegeben</translation>
    </message>
    <message>
        <source>Licence: {name}</source>
        <translation>Lizenz: {name}</translation>
    </message>
    <message>
        <source>Left out: {name} ({reason})</source>
        <translation>Ausgelassen: {name} ({reason})</translation>
    </message>
    <message>
        <source>cannot be read</source>
        <translation>nicht lesbar</translation>
    </message>
    <message>
        <source>They go to {folder}, where {free} are free.</source>
        <translation>Sie kommen nach {folder}; dort sind {free} frei.</translation>
    </message>
    <message>
        <source>{size} are needed, and {folder} has only {free} free. Take fewer models, or choose another place for models in the settings.</source>
        <translation>Nötig sind {size}, in {folder} sind aber nur {free} frei. Nehmen Sie weniger Modelle, oder wählen Sie in den Einstellungen einen anderen Ort für Modelle.</translation>
    </message>
    <message numerus="yes">
        <source>Add %n model(s)</source>
        <translation>
            <numerusform>%n Modell hinzufügen</numerusform>
            <numerusform>%n Modelle hinzufügen</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>Verifying</name>
    <message>
        <source>Verifying “{name}” …</source>
        <translation>„{name}“ wird geprüft …</translation>
    </message>
    <message>
        <source>{what}  {done} of {total}</source>
        <translation>{what}  {done} von {total}</translation>
    </message>
    <message>
        <source>“{name}” is damaged: {files} is no longer what it was. Its answers may be wrong. Remove it and fetch it again.</source>
        <translation>„{name}“ ist beschädigt: {files} ist nicht mehr, was es war. Die Antworten können falsch sein. Entfernen Sie es und laden Sie es neu herunter.</translation>
    </message>
    <message>
        <source>Nobody knows what “{name}” should be. How it is now is kept, to compare it with the next time.</source>
        <translation>Niemand weiß, wie „{name}“ sein soll. Wie es jetzt ist, wird gemerkt, um es beim nächsten Mal zu vergleichen.</translation>
    </message>
    <message>
        <source>“{name}” is whole: every byte is as it was where it came from.</source>
        <translation>„{name}“ ist heil: jedes Byte ist wie dort, wo es herkam.</translation>
    </message>
    <message>
        <source>“{name}” is whole: every byte is as it was when it came here.</source>
        <translation>„{name}“ ist heil: jedes Byte ist, wie es kam.</translation>
    </message>
</context>
<context>
    <name>Welcome</name>
    <message>
        <source>Welcome</source>
        <translation>Willkommen</translation>
    </message>
    <message>
        <source>Welcome to Hausgeist</source>
        <translation>Willkommen bei Hausgeist</translation>
    </message>
    <message>
        <source>How can I help?</source>
        <translation>Womit kann ich helfen?</translation>
    </message>
    <message>
        <source>Language models on your own computer. Ask me how that works.</source>
        <translation>Sprachmodelle auf Ihrem eigenen Rechner. Fragen Sie mich, wie das geht.</translation>
    </message>
    <message>
        <source>{model} answers elsewhere: what you write is sent there.</source>
        <translation>{model} antwortet anderswo: Was Sie schreiben, wird dorthin gesendet.</translation>
    </message>
    <message>
        <source>{model} answers here, on this computer only.</source>
        <translation>{model} antwortet hier, nur auf diesem Rechner.</translation>
    </message>
    <message>
        <source>What is a model?</source>
        <translation>Was ist ein Modell?</translation>
    </message>
    <message>
        <source>Which models run on my computer?</source>
        <translation>Welche Modelle laufen auf meinem Rechner?</translation>
    </message>
    <message>
        <source>How do I get a larger model?</source>
        <translation>Wie bekomme ich ein größeres Modell?</translation>
    </message>
    <message>
        <source>Is this private?</source>
        <translation>Ist das privat?</translation>
    </message>
    <message>
        <source>What does Q4_K_M mean?</source>
        <translation>Was bedeutet Q4_K_M?</translation>
    </message>
    <message>
        <source>Write a friendly reminder for an unpaid invoice</source>
        <translation>Schreibe eine freundliche Zahlungserinnerung</translation>
    </message>
    <message>
        <source>Explain compound interest to a twelve-year-old</source>
        <translation>Erkläre einem Zwölfjährigen den Zinseszins</translation>
    </message>
    <message>
        <source>Give me five ideas for a quick dinner</source>
        <translation>Gib mir fünf Ideen für ein schnelles Abendessen</translation>
    </message>
    <message>
        <source>Looking at this computer …</source>
        <translation>Ihr Rechner wird geprüft …</translation>
    </message>
    <message>
        <source>This computer</source>
        <translation>Dieser Rechner</translation>
    </message>
    <message>
        <source>Hausgeist guide</source>
        <translation>Hausgeist-Lotse</translation>
    </message>
    <message>
        <source>built in</source>
        <translation>eingebaut</translation>
    </message>
    <message>
        <source>Knows about Hausgeist itself, and nothing else. For letters, ideas or translations take a larger model.</source>
        <translation>Kennt sich mit Hausgeist selbst aus, sonst mit nichts. Für Briefe, Ideen oder Übersetzungen nehmen Sie ein größeres Modell.</translation>
    </message>
    <message>
        <source>Choose a model</source>
        <translation>Ein Modell wählen</translation>
    </message>
    <message>
        <source>Import a model file …</source>
        <translation>Modelldatei importieren …</translation>
    </message>
</context>
<context>
    <name>Words</name>
    <message>
        <source>{speed} tokens/s</source>
        <translation>{speed} Token/s</translation>
    </message>
    <message>
        <source>a page in less than a second</source>
        <translation>eine Seite in weniger als einer Sekunde</translation>
    </message>
    <message>
        <source>a page in about a second</source>
        <translation>eine Seite in etwa einer Sekunde</translation>
    </message>
    <message>
        <source>a page in about {hours} hours</source>
        <translation>eine Seite in etwa {hours} Stunden</translation>
    </message>
    <message>
        <source>Does not fit</source>
        <translation>Passt nicht</translation>
    </message>
    <message>
        <source>Very slow here</source>
        <translation>Hier sehr langsam</translation>
    </message>
    <message>
        <source>Fits, but slow</source>
        <translation>Passt, aber langsam</translation>
    </message>
    <message>
        <source>Fits very well</source>
        <translation>Passt sehr gut</translation>
    </message>
    <message>
        <source>Fits well</source>
        <translation>Passt gut</translation>
    </message>
    <message>
        <source>Today</source>
        <translation>Heute</translation>
    </message>
    <message>
        <source>Yesterday</source>
        <translation>Gestern</translation>
    </message>
    <message>
        <source>Last week</source>
        <translation>Letzte Woche</translation>
    </message>
    <message>
        <source>Older</source>
        <translation>Älter</translation>
    </message>
    <message>
        <source>not used yet</source>
        <translation>noch nicht benutzt</translation>
    </message>
    <message>
        <source>used today</source>
        <translation>heute benutzt</translation>
    </message>
    <message>
        <source>used yesterday</source>
        <translation>gestern benutzt</translation>
    </message>
    <message>
        <source>used in {month}</source>
        <translation>{month} benutzt</translation>
    </message>
    <message>
        <source>{count} billion parameters</source>
        <translation>{count} Milliarden Parameter</translation>
    </message>
    <message>
        <source>{count} parameters</source>
        <translation>{count} Parameter</translation>
    </message>
    <message>
        <source>{count} million parameters</source>
        <translation>{count} Millionen Parameter</translation>
    </message>
</context>
<context>
    <name>WorkCard</name>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Cancel: {what}</source>
        <translation>Abbrechen: {what}</translation>
    </message>
    <message>
        <source>Stopping …</source>
        <translation>Wird abgebrochen …</translation>
    </message>
</context>
</TS>
