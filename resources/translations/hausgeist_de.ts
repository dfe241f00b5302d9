<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de_DE">
<context>
    <name>BannerBox</name>
    <message>
        <source>Dismiss</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>ChatDelegate</name>
    <message>
        <source>New name of the chat</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>ChatList</name>
    <message>
        <source>Undo</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>New chat</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>“{title}” was deleted.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>ChatListView</name>
    <message>
        <source>Chats</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Rename</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Delete</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>ChatsPage</name>
    <message>
        <source>The model is being opened; then your message is sent.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Composer</name>
    <message>
        <source>Message to Hausgeist</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Message to Hausgeist …</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Send</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stop</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stop the answer (Esc)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>You are changing your message. What came after it is kept aside.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Enter sends, Shift+Enter starts a new line</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Conversation</name>
    <message>
        <source>The memory of this chat is full, so the answer ends here.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Counted</name>
    <message numerus="yes">
        <source>a page in about %n second(s)</source>
        <translation type="unfinished">
            <numerusform></numerusform>
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>a page in about %n minute(s)</source>
        <translation type="unfinished">
            <numerusform></numerusform>
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{used} of %n page(s)</source>
        <translation type="unfinished">
            <numerusform></numerusform>
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n page(s)</source>
        <translation type="unfinished">
            <numerusform></numerusform>
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>a chat remembers %n page(s)</source>
        <translation type="unfinished">
            <numerusform></numerusform>
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>used %n day(s) ago</source>
        <translation type="unfinished">
            <numerusform></numerusform>
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n core(s)</source>
        <translation type="unfinished">
            <numerusform></numerusform>
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Room for about %n model(s) of 5 GB</source>
        <translation type="unfinished">
            <numerusform></numerusform>
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n older message(s) no longer fit into the memory</source>
        <translation type="unfinished">
            <numerusform></numerusform>
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n model(s) are in your models now.</source>
        <translation type="unfinished">
            <numerusform></numerusform>
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n more file(s) could not be taken in.</source>
        <translation type="unfinished">
            <numerusform></numerusform>
            <numerusform></numerusform>
        </translation>
    </message>
</context>
<context>
    <name>Machine</name>
    <message>
        <source>Graphics</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No graphics card</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The processor does the work.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Disk</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{size} free</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>in use {used}, free {free}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Memory (RAM)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>reads memory at {speed}/s</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Processor</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>shares the computer&apos;s memory</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{size} of its own memory</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cores, threads</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Instruction sets</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>AI processor (not used yet)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Engine</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Backends</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Device</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Models are kept in</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>MachinePage</name>
    <message>
        <source>This computer</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Look again</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Looking at this computer …</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Hide details</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>All details</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>MainWindow</name>
    <message>
        <source>Drop it here to add it to your models</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>ModelPill</name>
    <message>
        <source>Model: {name}, {state}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose another model</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>My models</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Import a model file …</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>All models</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>ModelRow</name>
    <message>
        <source>built in</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>in use</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Chat</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Chat with {name}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>More</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove from the list</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove and delete the file</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>knows Hausgeist itself</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>made by us</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>copied into Hausgeist</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>from {folder}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Always fits</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>answers at once</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cannot be judged</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Looking …</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>ModelWords</name>
    <message>
        <source>is being opened …</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>could not be opened</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>opens when you write</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>small built-in helper</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Checking the file …</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Trying it out safely, the first time only …</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Loading: {percent} %</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the processor does more of the work</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the processor does all of the work</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>it uses less memory</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There was not enough memory for everything, so the model was opened smaller: {kept}.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Models</name>
    <message>
        <source>Hausgeist guide</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>ModelsPage</name>
    <message>
        <source>Models</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Import a model file …</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Import a folder …</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>My models</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Import a model file</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Model files (*.gguf)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Import a folder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Looking for your models …</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Delete the file?</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>“{name}” was copied into Hausgeist. Removing it deletes that copy.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Delete</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Keep</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How far the import is</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Looking at the files …</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name}: file {number} of {total}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Drop a model file here</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A model is one file that ends in .gguf. Many can be had free of charge, for instance at huggingface.co. A name with Q4_K_M in it is a good first choice: nearly full quality at a third of the size. The file stays where it is; Hausgeist only remembers its place.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Rail</name>
    <message>
        <source>Chats</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Models</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Computer</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Settings</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Offline</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Everything stays on this computer: Hausgeist makes no connection.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>SettingsPage</name>
    <message>
        <source>Settings</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Language</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>As the system</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Appearance</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Light</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Dark</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Processor threads</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Memory of a chat</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Window</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Models</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How much of a chat the model sees at once. More takes more RAM.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Automatic leaves enough for your other programs.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Both hold from the next time a model is opened.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Your data</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open folder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Chats and settings</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Nothing leaves this computer</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Hausgeist makes no connection, and counts or reports nothing.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Shelf</name>
    <message>
        <source>An import is running already.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Undo</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>“{name}” was removed.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The import was stopped.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Chat with it</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>“{name}” is in your models.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Sidebar</name>
    <message>
        <source>Search chats</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>New chat</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No chat has “{text}” in its title.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Your chats will stand here. They stay on this computer.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>StatusLine</name>
    <message>
        <source>Memory</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How full the memory of this chat is</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Everything stays on this computer</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The model sees {used} of {whole} tokens of this chat at once</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>TopBar</name>
    <message>
        <source>How far the model is opened</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Try again</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Reads the chat: {percent} %</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Thinks about it …</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Transcript</name>
    <message>
        <source>Stopped</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Hausgeist was closed while this was being written.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copied</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy code</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Answer again</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Edit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Try again</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy as Markdown</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy whole message</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy address of link</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open link</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Select all</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>To the end</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Conversation</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Code</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>You</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Thinking …</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Reading … {percent} %</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Welcome</name>
    <message>
        <source>Welcome</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Welcome to Hausgeist</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What may it be?</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Language models on your own computer. Ask me how that works.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{model} answers here, on this computer only.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What is a model?</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Which models run on my computer?</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How do I get a larger model?</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Is this private?</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What does Q4_K_M mean?</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Write a friendly reminder for an unpaid invoice</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Explain compound interest to a twelve-year-old</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Give me five ideas for a quick dinner</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Looking at this computer …</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This computer</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Hausgeist guide</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>built in</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A very small helper that knows about Hausgeist itself, and nothing else. For letters, ideas or translations take a larger model: a file that ends in .gguf.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Import a model file …</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Words</name>
    <message>
        <source>{speed} tokens/s</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a page in about a second</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a page in about {hours} hours</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Does not fit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Very slow here</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fits, but slow</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fits very well</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fits well</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Today</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Yesterday</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Last week</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Older</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>not used yet</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>used today</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>used yesterday</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>used in {month}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{count} billion parameters</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{count} million parameters</source>
        <translation type="unfinished"></translation>
    </message>
</context>
</TS>
